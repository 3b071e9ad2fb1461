import { expect, it, vi } from 'vitest';
import { moveNodes } from '../../src/domain/tree/move.ts';
import { TASKS } from '../../src/job/task/index.ts';
import { user, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeBranch } from '../support/branch.ts';
import { WITH_USERS } from '../support/request.ts';
import { withWorker } from '../support/worker.ts';
import { call as heartcore } from './heartcore/call.ts';
import { call as importer, upload } from './importer/call.ts';
import { call as selfcommunity } from './selfcommunity/call.ts';

describeEachBackend('a large folder that is being deleted', (backend) => {
  it('is gone from every dialect and from the URLs of its files, then its bytes are deleted', () =>
    withApp(
      backend,
      async (app) => {
        const { services } = app;
        const ctx = { ...services, log: app.app.log, viewer: user('root', 'admin') };
        const branch = await makeBranch(services.db, 300);
        expect((await upload(app, 'poster')).status).toBe(200);
        const poster = services.db.selectFrom('media').where('resource', '=', 'poster');
        const { id, uuid } = await poster.select(['id', 'uuid']).executeTakeFirstOrThrow();
        await moveNodes(ctx, { ids: [id], parentId: branch.folderIds[0]! });
        const file = services.db.selectFrom('file').where('media_id', '=', id);
        const { dir, url_name } = await file.select(['dir', 'url_name']).executeTakeFirstOrThrow();
        const top = services.db.selectFrom('media').where('id', '=', branch.id).select('uuid');
        const folder = (await top.executeTakeFirstOrThrow()).uuid;
        const statuses = async () => [
          (await app.fetch(`/media/${dir}/${url_name}`)).status,
          (await app.fetch(`/media/${dir}/${url_name}?width=1`)).status,
          (await selfcommunity(app, `GET /media/${id}/`, { as: 'admin' })).status,
          (await heartcore(app, `GET /media/${uuid}`)).status,
          (await heartcore(app, `GET /media/${folder}/children`)).status,
          (await importer(app, 'GET /medias/files/poster')).status,
        ];
        expect(await statuses()).toEqual([200, 200, 200, 200, 200, 200]);
        expect((await heartcore(app, `DELETE /media/${folder}`)).status).toBe(200);
        expect(await statuses()).toEqual([404, 404, 404, 404, 404, 404]);
        const { body } = await importer(app, 'GET /medias');
        expect(body.data).toEqual([]);

        await withWorker({ ...services, log: app.app.log }, TASKS, () =>
          vi.waitFor(
            async () => {
              const open = services.db.selectFrom('job').where('finished_at', 'is', null);
              expect(await open.select('job_class').execute()).toEqual([]);
            },
            { timeout: 60_000 },
          ),
        );
        const blobs: string[] = [];
        for await (const { key } of services.blobs.list()) blobs.push(key);
        expect(blobs).toEqual([]);
        expect(await services.db.selectFrom('media').select('id').execute()).toHaveLength(1);
      },
      { ...WITH_USERS, TRIVIUM_TRASH_DAYS: '0' },
    ));
});
