import { expect, it } from 'vitest';
import { moveNodes } from '../../src/domain/tree/move.ts';
import { user, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder } from '../support/make.ts';
import { WITH_USERS } from '../support/request.ts';
import { call as heartcore } from './heartcore/call.ts';
import { call as importer, upload } from './importer/call.ts';
import { call as selfcommunity } from './selfcommunity/call.ts';

/** A deletion of the media item, in each dialect that has one. */
const DELETIONS = ['GraphQL', 'GraphQL, many', 'SelfCommunity', 'Heartcore'] as const;

describeEachBackend('a media item in the trash', (backend) => {
  it.each(DELETIONS)('is gone from every dialect after a deletion by %s, and comes back', (by) =>
    withApp(
      backend,
      async (app) => {
        const { services } = app;
        const ctx = { ...services, log: app.app.log, viewer: user('root', 'admin') };
        expect((await upload(app, 'poster')).status).toBe(200);
        const poster = services.db.selectFrom('media').where('resource', '=', 'poster');
        const { id, uuid } = await poster.select(['id', 'uuid']).executeTakeFirstOrThrow();
        await moveNodes(ctx, { ids: [id], parentId: await makeFolder(services.db) });
        const file = services.db.selectFrom('file').where('media_id', '=', id);
        const { dir, url_name } = await file.select(['dir', 'url_name']).executeTakeFirstOrThrow();
        const authorization = `Bearer ${app.adminKey}`;
        const ask = async (query: string) =>
          (await graphql(app, query, {}, { authorization })).data;
        const globalId = Buffer.from(`Media:${id}`).toString('base64url');
        const { media } = await ask(`{ media(by: { databaseId: ${id} }) { file { signedUrl } } }`);
        const signed = media.file.signedUrl.slice(app.url.length);
        const seen = async () => ({
          statuses: [
            (await app.fetch(`/media/${dir}/${url_name}`)).status,
            (await app.fetch(`/media/${dir}/${url_name}?width=1`)).status,
            (await app.fetch(signed)).status,
            (await selfcommunity(app, `GET /media/${id}/`, { as: 'admin' })).status,
            (await heartcore(app, `GET /media/${uuid}`)).status,
            (await importer(app, 'GET /medias/files/poster')).status,
            (await importer(app, 'GET /medias/info/poster')).status,
          ],
          importer: (await importer(app, 'GET /medias')).body.data.length,
          graphql: await ask(`{ node(id: "${globalId}") { id }
            medias(filter: { search: "poster" }) { totalCount nodes { id } }
            trash(first: 5) { totalCount nodes { id deletedAt
              ... on Media { file { filename } url image { url } thumbnail { url } } } } }`),
        });
        const before = await seen();
        expect(before.statuses).toEqual([200, 200, 200, 200, 200, 200, 200]);
        const remove: Record<(typeof DELETIONS)[number], () => Promise<unknown>> = {
          GraphQL: () =>
            ask(`mutation { deleteMedia(input: { id: "${globalId}" }) { __typename } }`),
          'GraphQL, many': () =>
            ask(`mutation { deleteNodes(input: { ids: ["${globalId}"] }) { __typename } }`),
          SelfCommunity: () => selfcommunity(app, `DELETE /media/${id}/`, { as: 'admin' }),
          Heartcore: () => heartcore(app, `DELETE /media/${uuid}`),
        };
        await remove[by]();
        const gone = await seen();
        expect(gone.statuses).toEqual([404, 404, 404, 404, 404, 404, 404]);
        expect(gone.importer).toBe(0);
        expect(gone.graphql).toMatchObject({
          node: null,
          medias: { totalCount: 0, nodes: [] },
          trash: {
            totalCount: 1,
            nodes: [
              {
                id: globalId,
                deletedAt: expect.any(String),
                file: { filename: expect.any(String) },
                url: null,
                image: null,
                thumbnail: null,
              },
            ],
          },
        });
        const { restoreNodes } =
          await ask(`mutation { restoreNodes(input: { ids: ["${globalId}"] }) {
          ... on RestoreNodesSuccess { nodes { id deletedAt } } ... on Error { code message } } }`);
        expect(restoreNodes).toEqual({ nodes: [{ id: globalId, deletedAt: null }] });
        expect(await seen()).toEqual(before);
      },
      WITH_USERS,
    ),
  );

  it('keeps its resource from other viewers, who could prevent its restore', () =>
    withApp(
      backend,
      async (app) => {
        expect((await upload(app, 'poster', { as: 'alice' })).status).toBe(200);
        const row = app.services.db.selectFrom('media').where('resource', '=', 'poster');
        const { id } = await row.select('id').executeTakeFirstOrThrow();
        const deletion = await selfcommunity(app, `DELETE /media/${id}/`, { as: 'admin' });
        expect(deletion.status).toBe(204);
        expect((await upload(app, 'poster', { as: 'mallory' })).status).toBe(403);
        expect((await upload(app, 'poster', { as: 'alice' })).status).toBe(200);
      },
      WITH_USERS,
    ));

  it('is purged by the job of emptyTrash, and only on request', () =>
    withApp(backend, async (app) => {
      const authorization = `Bearer ${app.adminKey}`;
      const ask = async (query: string) => (await graphql(app, query, {}, { authorization })).data;
      const { emptyTrash } = await ask(`mutation { emptyTrash(input: {}) {
        ... on EmptyTrashSuccess { job { jobClass status } } ... on Error { code } } }`);
      expect(emptyTrash).toEqual({ job: { jobClass: 'purge-trash', status: 'PENDING' } });
      const anonymous = await graphql(app, '{ trash { totalCount } }');
      expect(anonymous.errors?.[0]).toMatchObject({ extensions: { code: 'NOT_AUTHENTICATED' } });
    }));
});
