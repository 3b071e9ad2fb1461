import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import type { Difference } from '../../../src/domain/fsck/difference.ts';
import { checkLibrary } from '../../../src/domain/fsck/fsck.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestApp, user, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, md5Of } from '../../support/bytes.ts';

const COUNT = Number(process.env.TRIVIUM_TEST_STORM || 40);
const BYTES = Buffer.alloc(5000, 'a');
const HALF = 2500;

describeEachBackend('fsck beside a storm of uploads and deletions', (backend) => {
  it('reports nothing, and repairs nothing', () =>
    withApp(
      backend,
      async (app) => {
        const ctx: Context = { ...app.services, viewer: user(), log: app.app.log };
        const files = await times(() => upload(ctx));
        const sessions = await times(() => start(ctx));
        // Bytes that are older than the grace: only rows protect them.
        await age(join(app.dataDir, 'blobs'));
        let isOver = false;
        const storm = Promise.all([
          inTurn(files, ({ id }) => deleteMedia(ctx, id)),
          inTurn(sessions, (id, index) => (index % 2 === 0 ? finish(ctx, id) : abort(ctx, id))),
          times(() => upload(ctx)),
          times(async () => abort(ctx, await start(ctx))),
        ]).finally(() => {
          isOver = true;
        });
        const found: Difference[] = [];
        let rounds = 0;
        for (let isLast = false; !isLast; rounds++) {
          isLast = isOver;
          // Deletions and their jobs are in progress at any moment of it.
          const options = { rehash: true, repair: true };
          found.push(...(await Array.fromAsync(checkLibrary(ctx, options))));
        }
        await storm;
        expect(found).toEqual([]);
        expect(rounds).toBeGreaterThan(1);
        await expect.poll(() => jobsLeft(app), { timeout: 60_000 }).toBe(0);
        expect(await Array.fromAsync(checkLibrary(ctx, { graceMs: -60_000 }))).toEqual([]);
      },
      { TRIVIUM_JOB_CONCURRENCY: '2', TRIVIUM_REHASH_DAYS: '0' },
    ));
});

async function times<T>(work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let count = 0; count < COUNT; count++) results.push(await work());
  return results;
}

async function inTurn<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  for (const [index, item] of items.entries()) await work(item, index);
}

function upload(ctx: Context) {
  return uploadFile(ctx, { filename: 'a.bin', bytes: inPieces(BYTES, 1000) });
}

async function start(ctx: Context): Promise<string> {
  const chunk = { bytes: inPieces(BYTES.subarray(0, HALF), 1000) };
  const place = { offsetBytes: 0, totalBytes: BYTES.length };
  return (await appendChunk(ctx, { filename: 'a.bin', ...place, chunk })).uploadId;
}

async function finish(ctx: Context, uploadId: string): Promise<void> {
  const chunk = { bytes: inPieces(BYTES.subarray(HALF), 1000) };
  await appendChunk(ctx, { uploadId, offsetBytes: HALF, totalBytes: BYTES.length, chunk });
  await completeUpload(ctx, { uploadId, md5: md5Of(BYTES) });
}

function abort(ctx: Context, uploadId: string): Promise<void> {
  return abortUpload(ctx, { uploadId });
}

async function age(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), 1000, 1000);
  }
}

async function jobsLeft({ services }: TestApp): Promise<number> {
  const query = services.db.selectFrom('job').where('job_class', '=', 'delete-blob');
  return (await query.where('status', 'in', ['pending', 'running']).select('id').execute()).length;
}
