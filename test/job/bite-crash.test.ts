import { expect, it, vi } from 'vitest';
import { deleteTag } from '../../src/domain/tag/deletion.ts';
import { updateTag } from '../../src/domain/tag/tag.ts';
import { deleteFolder } from '../../src/domain/tree/deletion.ts';
import { countMedias } from '../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../src/domain/tree/move.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { createTestServices, type TestServices, user } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { killInMiddle, startBiteWorker } from '../support/bite-worker.ts';
import { makeBranch, tagAll } from '../support/branch.ts';
import { makeFolder, makeTag } from '../support/make.ts';
import { skipWaits } from '../support/worker.ts';

/** Number of kills of each backend. */
const KILLS = Math.ceil(Number(process.env.TRIVIUM_TEST_KILLS || 6) / 10);
const MEDIA = 400 * (KILLS + 1);

describeEachBackend('large changes whose worker is killed', (backend) => {
  it(
    `${KILLS} times are finished by the next one, and nothing shows in between`,
    () =>
      backend.withUrl(async (url) => {
        const db = openDb({ url });
        try {
          const services = createTestServices({ db } as TestServices, { trashDays: 0 });
          const ctx = services.as(user('root', 'admin'));
          const branch = await makeBranch(db, MEDIA);
          const kept = await makeBranch(db, MEDIA);
          const [gone, renamed] = [await makeTag(db), await makeTag(db, { name: 'pin' })];
          await tagAll(db, gone.id, kept.mediaIds);
          await tagAll(db, renamed.id, kept.mediaIds);
          const target = await makeFolder(db, { name: 'Target' });
          await moveNodes(ctx, { ids: [kept.id], parentId: target });
          await deleteFolder(ctx, branch.id, { recursive: true });
          await deleteTag(ctx, gone.id);
          await updateTag(ctx, renamed.id, { name: 'clip' });
          for (let kill = 0; kill < KILLS; kill++) {
            await killInMiddle(url, db, () => countRows(db));
            expect(await countMedias(ctx)).toBe(MEDIA);
            expect(await countMedias(ctx, { tagIds: [gone.id] })).toBe(0);
            expect(await countMedias(ctx, { underFolderId: target })).toBe(MEDIA);
            await db.updateTable('job').set({ scheduled_at: 0, leased_until: 0 }).execute();
          }
          const { child, exit } = startBiteWorker(url);
          const open = () => db.selectFrom('job').where('finished_at', 'is', null);
          try {
            await vi.waitFor(
              async () => {
                await skipWaits(db);
                const left = await open()
                  .where('job_class', 'not in', [
                    'delete-blob',
                    'expire-upload',
                    'rehash-file',
                    'purge-trash',
                    'sweep',
                  ])
                  .select('id')
                  .execute();
                expect(left).toEqual([]);
              },
              // On two busy cores, the rest of 8,400 media takes more than a minute.
              { timeout: 240_000, interval: 100 },
            );
          } finally {
            child.kill('SIGKILL');
            await exit;
          }
          const nodes = await db.selectFrom('media').select('id').execute();
          // The root, the target, ten folders and their top, and their media.
          expect(nodes).toHaveLength(MEDIA + 13);
          expect(await db.selectFrom('path_move').selectAll().execute()).toEqual([]);
          const below = `/1/${target}/${kept.id}/`;
          const moved = db.selectFrom('media').where('path', 'like', `${below}%`).select('id');
          expect(await moved.execute()).toHaveLength(MEDIA + 10);
          expect(await db.selectFrom('file').select('id').execute()).toHaveLength(MEDIA);
          expect(await db.selectFrom('deletion').selectAll().execute()).toEqual([]);
          expect(await db.selectFrom('tag').select(['name', 'indexed_up_to']).execute()).toEqual([
            { name: 'clip', indexed_up_to: null },
          ]);
          expect(await countMedias(ctx, { search: 'clip' })).toBe(MEDIA);
          expect(await countMedias(ctx, { search: 'pin' })).toBe(0);
          const bytes = await open()
            .where('job_class', '=', 'delete-blob')
            .select('arguments')
            .execute();
          const keys = bytes.flatMap((job) => JSON.parse(job.arguments).blob_keys);
          expect(keys).toHaveLength(MEDIA);
          expect(new Set(keys).size).toBe(MEDIA);
        } finally {
          await db.destroy();
        }
      }),
    300_000 + KILLS * 10_000,
  );
});

async function countRows(db: Db): Promise<number> {
  const count = db.selectFrom('media').select((eb) => eb.fn.countAll<number>().as('count'));
  return Number((await count.executeTakeFirstOrThrow()).count);
}
