import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { createFileStaging } from '../../src/blob/file-staging.ts';
import { withMemory } from '../../src/blob/memory.ts';
import { sweep } from '../../src/domain/file/sweep.ts';
import { countTrash } from '../../src/domain/file/trash.ts';
import { deleteNodes } from '../../src/domain/trash/delete-nodes.ts';
import { restoreNodes } from '../../src/domain/trash/restore.ts';
import { countMedias } from '../../src/domain/tree/media-list.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { createTestServices, type TestServices, user } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { finishBites, killInMiddle } from '../support/bite-worker.ts';
import { makeBranch } from '../support/branch.ts';
import { inPieces } from '../support/bytes.ts';
import { withDataDir } from '../support/process.ts';

/** Number of kills of each of the three changes, on each backend. */
const KILLS = Math.ceil(Number(process.env.TRIVIUM_TEST_KILLS || 6) / 10);
const MEDIA = 250 * (KILLS + 1);
const ALL = { modifiedBefore: Number.POSITIVE_INFINITY };

describeEachBackend('a large folder on its way', (backend) => {
  it(
    `into the trash, out of it and out of the world loses nothing when its worker is killed ${KILLS} times`,
    () =>
      backend.withUrl((url) =>
        withDataDir(async (directory) => {
          const db = openDb({ url });
          try {
            const services = await withBlobs(db, directory);
            const ctx = services.as(user('root', 'admin'));
            const { id } = await makeBranch(db, MEDIA);
            await storeBytes(services);
            const kill = async (jobClass: string) => {
              for (let count = 0; count < KILLS; count++) {
                await killInMiddle(url, db, () => countRows(db));
                expect(await sweep(services, ALL)).toEqual({ removed: 0, lost: 0 });
              }
              await finishBites(url, db, jobClass);
            };

            await deleteNodes(ctx, { ids: [id], recursive: true });
            expect(await countMedias(ctx)).toBe(0);
            await kill('delete-subtree');
            expect(await countRows(db)).toBe(MEDIA + 11);
            expect(await countTrash(ctx)).toBe(1);
            expect(await sweep(services, ALL)).toEqual({ removed: 0, lost: 0 });

            await restoreNodes(ctx, { ids: [id] });
            await kill('restore-subtree');
            expect(await countRows(db)).toBe(0);
            expect(await countMedias(ctx, { underFolderId: id })).toBe(MEDIA);
            expect(await sweep(services, ALL)).toEqual({ removed: 0, lost: 0 });

            await deleteNodes(ctx, { ids: [id], recursive: true });
            await finishBites(url, db, 'delete-subtree');
            await deleteNodes(ctx, { ids: [id], permanently: true });
            expect(await countTrash(ctx)).toBe(0);
            for (let count = 0; count < KILLS; count++) {
              await killInMiddle(url, db, () => countRows(db));
            }
            await finishBites(url, db, 'purge-subtree');
            expect(await countRows(db)).toBe(0);
            expect(await sweep(services, ALL)).toEqual({ removed: MEDIA, lost: 0 });
            expect(await Array.fromAsync(services.blobs.list())).toEqual([]);
          } finally {
            await db.destroy();
          }
        }),
      ),
    300_000 + KILLS * 30_000,
  );
});

async function withBlobs(db: Db, directory: string): Promise<TestServices> {
  const blobs = withMemory(await createFileBlobStore({ directory: join(directory, 'stored') }));
  const staging = await createFileStaging({ directory: join(directory, 'staging'), blobs });
  return createTestServices({ db, blobs, staging, blobDir: directory, statements: [] });
}

/** Stores the byte of each file. */
async function storeBytes({ db, blobs }: TestServices): Promise<void> {
  const files = await db.selectFrom('file').select('blob_key').execute();
  for (let from = 0; from < files.length; from += 100) {
    const some = files.slice(from, from + 100);
    await Promise.all(some.map((file) => blobs.put(file.blob_key, 1, inPieces(Buffer.from('a')))));
  }
}

/** The number of nodes in the trash. */
async function countRows(db: Db): Promise<number> {
  const count = db.selectFrom('trashed_node').select((eb) => eb.fn.countAll<number>().as('count'));
  return Number((await count.executeTakeFirstOrThrow()).count);
}
