import { expect, it } from 'vitest';
import { deleteWhere } from '../../src/domain/bulk/delete-where.ts';
import { tagWhere } from '../../src/domain/bulk/tag-where.ts';
import { updateWhere } from '../../src/domain/bulk/update-where.ts';
import { countMedias } from '../../src/domain/tree/media-list.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { createTestServices, type TestServices, user } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { finishBites, killInMiddle } from '../support/bite-worker.ts';
import { makeBranch } from '../support/branch.ts';
import { makeTag } from '../support/make.ts';

/** Number of kills of each job. */
const KILLS = Math.ceil(Number(process.env.TRIVIUM_TEST_KILLS || 6) / 6);
const MEDIA = 700 * (KILLS + 1);

async function countEntries(db: Db, action: string): Promise<number> {
  const count = db.selectFrom('audit_entry').where('action', '=', action);
  const { entries } = await count
    .select((eb) => eb.fn.countAll<number>().as('entries'))
    .executeTakeFirstOrThrow();
  return Number(entries);
}

describeEachBackend('a job that changes all media that match a filter', (backend) => {
  it(
    `is finished after ${KILLS} kills of its worker, and has changed each media item once`,
    () =>
      backend.withUrl(async (url) => {
        const db = openDb({ url });
        try {
          const services = createTestServices({ db } as TestServices);
          const ctx = services.as(user('root', 'admin'));
          await makeBranch(db, MEDIA);
          const kept = await makeBranch(db, 10);
          await db
            .updateTable('media')
            .set({ type: 'doc' })
            .where('id', 'in', kept.mediaIds)
            .execute();
          const tag = await makeTag(db);
          const filter = { types: ['image'] };
          const jobs = [
            ['tag-where', 'tag', () => tagWhere(ctx, { filter, addTagIds: [tag.id] })],
            ['update-where', 'update', () => updateWhere(ctx, { filter, title: 'T' })],
            ['delete-where', 'delete', () => deleteWhere(ctx, { filter })],
          ] as const;
          for (const [jobClass, action, start] of jobs) {
            const { job } = await start();
            for (let kill = 0; kill < KILLS; kill++) {
              await killInMiddle(url, db, () => countEntries(db, action));
              expect(await countEntries(db, action)).toBeLessThan(MEDIA);
            }
            await finishBites(url, db, jobClass);
            const { result, status } = await db
              .selectFrom('job')
              .where('id', '=', job!.id)
              .select(['result', 'status'])
              .executeTakeFirstOrThrow();
            expect({ status, ...JSON.parse(result!) }).toEqual({
              status: 'completed',
              media_changed: MEDIA,
            });
            // One for each media item: none was changed twice.
            expect(await countEntries(db, action)).toBe(MEDIA);
          }
          expect(await countMedias(ctx, {})).toBe(10);
          const trashed = await db.selectFrom('trashed_node').select(['id', 'row']).execute();
          expect(trashed).toHaveLength(MEDIA);
          expect(trashed.every(({ row }) => JSON.parse(row).title === 'T')).toBe(true);
        } finally {
          await db.destroy();
        }
      }),
    300_000,
  );
});
