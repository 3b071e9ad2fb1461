import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { newBlobKey } from '../../../src/domain/file/blob-key.ts';
import { filesByMediaIds, openFile } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestServices, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces, leftovers, md5Of, NOTHING } from '../../support/bytes.ts';
import { makeFileRow, makeMediaRow } from '../../support/make.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const PDF = fixtureBytes('document.pdf');
const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

describeEachBackend('sweep', (backend) => {
  it('keeps bytes in use: those of media, and of open uploads', () =>
    withServices(backend, async (services) => {
      await uploadFile(services.as(), { filename: 'a.pdf', bytes: inPieces(PDF) });
      await startUpload(services.as());
      const before = await leftovers(services);
      expect(before).toMatchObject({ medias: 1, staged: 1, stored: 1 });
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
      expect(await leftovers(services)).toEqual(before);
    }));

  it('deletes bytes that no row refers to, staged and stored', () =>
    withServices(backend, async (services) => {
      await makeOrphan(services, 'staged');
      await makeOrphan(services, 'stored');
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 2, lost: 0 });
      expect(await leftovers(services)).toEqual(NOTHING);
    }));

  it('keeps bytes written recently: their row may follow', () =>
    withServices(backend, async (services) => {
      const path = join(services.blobDir, 'staging', await makeOrphan(services, 'staged'));
      utimesSync(path, new Date(5000), new Date(5000));
      expect(await sweep(services, { modifiedBefore: 5000 })).toEqual({ removed: 0, lost: 0 });
      expect(await sweep(services, { modifiedBefore: 5001 })).toEqual({ removed: 1, lost: 0 });
    }));

  it('deletes no bytes of uploads that complete meanwhile', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const sessions = await Promise.all(
        Array.from({ length: 8 }, () => startUpload(ctx, PDF.length)),
      );
      const complete = ({ uploadId }: { uploadId: string }) =>
        completeUpload(ctx, { uploadId, md5: md5Of(PDF) });
      const sweeps = async () => {
        for (let count = 0; count < 5; count++) await sweep(services, EVERYTHING);
      };
      const [medias] = await Promise.all([Promise.all(sessions.map(complete)), sweeps()]);
      for (const { id } of medias) expect(await isReadable(ctx, id)).toBe(true);
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 8, files: 8, stored: 8 });
    }));

  it('handles more staged bytes than fit in one batch', () =>
    withServices(backend, async (services) => {
      await uploadFile(services.as(), { filename: 'a.pdf', bytes: inPieces(PDF) });
      const orphans = Array.from({ length: 600 }, () => makeOrphan(services, 'staged'));
      await Promise.all(orphans);
      services.statements.length = 0;
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 600, lost: 0 });
      expect(services.statements).toHaveLength(2 * 1 + 3);
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));

  it('uses listings only: no request for a single blob, and a fixed number of statements', () =>
    withServices(backend, async (services) => {
      const keys = Array.from({ length: 1_200 }, newBlobKey).sort();
      for (const key of keys) await services.blobs.put(key, 4, inPieces(Buffer.from('some')));
      const named = keys.filter((_, index) => index % 2 === 0);
      await insertFiles(services, named, 4);
      const stat = vi.spyOn(services.blobs, 'stat');
      const read = vi.spyOn(services.blobs, 'read');
      services.statements.length = 0;
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 600, lost: 0 });
      // Batches of 500, 500 and 200 blobs, each with half as many files.
      expect(services.statements).toHaveLength(3 * 4);
      expect([stat, read].flatMap((spy) => spy.mock.calls)).toEqual([]);
      expect((await Array.fromAsync(services.blobs.list())).map(({ key }) => key)).toEqual(named);
    }));

  it('reports files without bytes, or with bytes of another size, wherever their keys are', () =>
    withServices(backend, async (services) => {
      const keys = Array.from({ length: 1_200 }, newBlobKey).sort();
      await insertFiles(services, keys, 4);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 1_200 });
      const lost = new Set([0, 1, 499, 500, 501, 999, 1_000, 1_100, 1_199]);
      const kept = keys.filter((_, index) => !lost.has(index));
      for (const key of kept) await services.blobs.put(key, 4, inPieces(Buffer.from('some')));
      await services.blobs.put(keys[1_100]!, 3, inPieces(Buffer.from('som')));
      services.logged.length = 0;
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: lost.size });
      expect(services.logged).toEqual([{ level: 'error', message: 'the bytes of files are lost' }]);
    }));

  it('does not report files written recently: the listing may be older', () =>
    withServices(backend, async (services) => {
      await insertFiles(services, [newBlobKey()], 4, 5000);
      expect(await sweep(services, { modifiedBefore: 5000 })).toEqual({ removed: 0, lost: 0 });
      expect(await sweep(services, { modifiedBefore: 5001 })).toEqual({ removed: 0, lost: 1 });
    }));

  it('does not report a file that is deleted while it runs', () =>
    withServices(backend, async (services) => {
      await insertFiles(services, [newBlobKey()], 4);
      const list = services.blobs.list.bind(services.blobs);
      vi.spyOn(services.blobs, 'list').mockImplementation(async function* () {
        yield* list();
        await services.db.deleteFrom('file').execute();
      });
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
    }));

  it('discards staged bytes that are stored as well', () =>
    withServices(backend, async (services) => {
      await uploadFile(services.as(), { filename: 'a.pdf', bytes: inPieces(PDF) });
      const { blob_key } = await services.db
        .selectFrom('file')
        .select('blob_key')
        .executeTakeFirstOrThrow();
      await services.staging.append(blob_key, 0, inPieces(PDF));
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 1, lost: 0 });
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));

  it('logs how many it has deleted, and nothing if there were none', () =>
    withServices(backend, async (services) => {
      await sweep(services, EVERYTHING);
      expect(services.logged).toEqual([]);
      await makeOrphan(services, 'stored');
      await sweep(services, EVERYTHING);
      expect(services.logged).toHaveLength(1);
    }));
});

/** Bytes as a crash between disk and database leaves them. */
async function makeOrphan({ staging }: TestServices, area: 'staged' | 'stored'): Promise<string> {
  const key = newBlobKey();
  await staging.append(key, 0, inPieces(Buffer.from('lost')));
  if (area === 'stored') await staging.promote(key, 4);
  return key;
}

/** Rows of files of one media item, with these blob keys. */
async function insertFiles(
  { db }: TestServices,
  blobKeys: readonly string[],
  sizeBytes: number,
  updatedAt = 1,
): Promise<void> {
  const mediaId = await makeMediaRow(db);
  for (const [index, blob_key] of blobKeys.entries()) {
    const columns = { size_bytes: sizeBytes, updated_at: updatedAt, key: String(index) };
    await makeFileRow(db, mediaId, { ...columns, blob_key });
  }
}

function startUpload(ctx: Context, sentBytes = 10) {
  const chunk = { bytes: inPieces(PDF.subarray(0, sentBytes)) };
  const place = { offsetBytes: 0, totalBytes: PDF.length };
  return appendChunk(ctx, { filename: 'a.pdf', ...place, chunk });
}

async function isReadable(ctx: Context, mediaId: number): Promise<boolean> {
  const [file] = (await filesByMediaIds(ctx, [mediaId])).get(mediaId) ?? [];
  const [, , dir, name] = file!.urlPath.split('/');
  const body = await (await openFile(ctx, dir!, name!))!.read();
  return (await sentBytes(body)).equals(PDF);
}
