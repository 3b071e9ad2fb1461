import { createHash, randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { digestFile } from '../../../src/domain/file/digest.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { digestFile as task } from '../../../src/job/task/file/digest-file.ts';
import { PermanentError } from '../../../src/job/task.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, md5Of } from '../../support/bytes.ts';

const BYTES = randomBytes(2_000_000);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

describeEachBackend('the digest of a file uploaded in chunks', (backend) => {
  it('is computed by reading the file in pieces, and published as an event', () =>
    withServices(backend, async (services) => {
      const { id, uuid } = await storeInChunks(services);
      expect((await fileOf(services, id))!.sha256).toBeNull();
      const published = vi.spyOn(services.events, 'publish');
      const fractions: number[] = [];
      const run = runOf((fraction) => fractions.push(fraction));
      await task(services.as(), { file_uuid: uuid }, run);
      expect((await fileOf(services, id))!.sha256).toBe(SHA256);
      expect(fractions.length).toBeGreaterThan(5);
      expect(fractions).toEqual([...fractions].sort((one, two) => one - two));
      expect(fractions.at(-1)).toBe(1);
      expect(published.mock.calls).toMatchObject([[{ type: 'media', kind: 'updated', id }]]);
      // The second time nothing is read.
      const read = vi.spyOn(services.blobs, 'read');
      await digestFile(services.as(), uuid);
      expect(read).not.toHaveBeenCalled();
    }));

  it('is not stored if another digest was stored meanwhile, or if the file has other bytes', () =>
    withServices(backend, async (services) => {
      for (const columns of [{ sha256: 'known' }, { blob_key: '0'.repeat(32) }]) {
        const { id, uuid } = await storeInChunks(services);
        const onProgress = vi.fn(() => undefined);
        const done = digestFile(services.as(), uuid, { onProgress });
        const { blobs } = services;
        const read = blobs.read.bind(blobs);
        vi.spyOn(blobs, 'read').mockImplementationOnce(async (...blob) => {
          await services.db.updateTable('file').set(columns).where('uuid', '=', uuid).execute();
          return read(...blob);
        });
        await done;
        expect(onProgress).toHaveBeenCalled();
        expect((await fileOf(services, id))!.sha256).toBe('sha256' in columns ? 'known' : null);
      }
    }));

  it('is skipped for a deleted file, and fails for a file whose bytes are lost', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const [gone, lost] = [await storeInChunks(services), await storeInChunks(services)];
      await deleteMedia(ctx, gone.id);
      await task(ctx, { file_uuid: gone.uuid }, runOf());
      await services.blobs.delete(lost.blobKey);
      const failed = task(ctx, { file_uuid: lost.uuid }, runOf());
      await expect(failed).rejects.toThrow(PermanentError);
    }));

  it('stops when the job is aborted, and leaves no file open', () =>
    withServices(backend, async (services) => {
      const { id, uuid } = await storeInChunks(services);
      const stop = new AbortController();
      const onProgress = () => stop.abort();
      const done = digestFile(services.as(), uuid, { signal: stop.signal, onProgress });
      await expect(done).rejects.toMatchObject({ name: 'AbortError' });
      expect((await fileOf(services, id))!.sha256).toBeNull();
    }));
});

function runOf(progress: (fraction: number) => void = () => undefined) {
  return { jobId: 1, startedBy: null, signal: new AbortController().signal, progress };
}

async function storeInChunks(services: TestServices) {
  const ctx = services.as(user());
  const place = { offsetBytes: 0, totalBytes: BYTES.length, filename: 'a.bin' };
  const chunk = { bytes: inPieces(BYTES, 65_536) };
  const { uploadId } = await appendChunk(ctx, { ...place, chunk });
  const { id } = await completeUpload(ctx, { uploadId, md5: md5Of(BYTES) });
  const { uuid, blob_key } = await services.db
    .selectFrom('file')
    .where('media_id', '=', id)
    .selectAll()
    .executeTakeFirstOrThrow();
  return { id, uuid, blobKey: blob_key };
}

async function fileOf(services: TestServices, mediaId: number) {
  return (await filesByMediaIds(services.as(), [mediaId])).get(mediaId)?.[0];
}
