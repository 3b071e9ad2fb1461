import { createHash } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { DigestMismatchError } from '../../../src/domain/error.ts';
import { readDetails } from '../../../src/domain/file/details.ts';
import { filesByMediaIds, openFile } from '../../../src/domain/file/file.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { image, secretsIn, stripped } from '../../media/location/located.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, leftovers, md5Of, NOTHING, PNG } from '../../support/bytes.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const JPEG = await image('jpeg');
const LARGE = Buffer.concat([JPEG, Buffer.alloc(300_000, 'trailer')]);
const ALWAYS = { stripLocation: 'always' } as const;
const ONE = { ...NOTHING, medias: 1, files: 1, stored: 1 };

describeEachBackend('an upload whose location is removed', (backend) => {
  it('is checked by the digest of the bytes that were sent, and has that of the stored ones', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        for (const bytes of [JPEG, LARGE]) {
          const kept = await stripped(bytes);
          const send = (md5: string) =>
            uploadFile(ctx, { filename: 'a.jpg', bytes: inPieces(bytes, 9999), md5 });
          await expect(send(md5Of(kept))).rejects.toThrow(DigestMismatchError);
          const { id } = await send(md5Of(bytes));
          const sha256 = createHash('sha256').update(kept).digest('hex');
          expect(await fileOf(ctx, id)).toMatchObject({ md5: md5Of(kept), sha256 });
        }
        expect((await leftovers(services)).staged).toBe(0);
      },
      ALWAYS,
    ));

  it('of a session keeps the bytes of the client until it is complete, also after a failure', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const uploadId = await sendChunks(ctx, LARGE);
        const complete = () => completeUpload(ctx, { uploadId, md5: md5Of(LARGE) });
        const failure = new Error('the disk is full');
        vi.spyOn(services.staging, 'promote').mockRejectedValueOnce(failure);
        await expect(complete()).rejects.toThrow(failure);
        const wrong = completeUpload(ctx, { uploadId, md5: md5Of(LARGE), folderId: 99 });
        await expect(wrong).rejects.toThrow('99');
        const { id } = await complete();
        const kept = await stripped(LARGE);
        expect(await fileOf(ctx, id)).toMatchObject({ md5: md5Of(kept), sizeBytes: LARGE.length });
        // The copy of the first attempt waits for the sweep, as all bytes of a failed disk do.
        expect(await leftovers(services)).toEqual({ ...ONE, staged: 1 });
      },
      ALWAYS,
    ));

  it('that is refused leaves nothing behind', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const resource = 'one';
        const send = () =>
          uploadFile(ctx, { filename: 'a.jpg', bytes: inPieces(LARGE, 99_999), resource });
        await send();
        await expect(send()).rejects.toThrow();
        expect(await leftovers(services)).toEqual(ONE);
      },
      ALWAYS,
    ));

  it('has no place in its details, as a replacement and in a format of its own', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const { id } = await uploadFile(ctx, { filename: 'a.png', bytes: inPieces(PNG, 999) });
        for (const format of ['webp', 'avif', 'jpeg'] as const) {
          const bytes = await image(format);
          await replaceFile(ctx, id, { filename: `a.${format}`, bytes: inPieces(bytes, 999) });
          const file = await fileOf(ctx, id);
          await readDetails(ctx, file.uuid);
          const row = services.db.selectFrom('media').where('id', '=', id).selectAll();
          const { details, latitude } = await row.executeTakeFirstOrThrow();
          expect(JSON.parse(details!)).toMatchObject({ camera: 'Maker Model 1' });
          expect([latitude, details!.includes('altitude')]).toEqual([null, false]);
        }
      },
      ALWAYS,
    ));

  it('of before the setting is delivered without it to viewers who may not edit', () =>
    withServices(backend, async (services) => {
      const before = services.as(user());
      const { id } = await uploadFile(before, { filename: 'a.jpg', bytes: inPieces(JPEG, 999) });
      const [, , dir = '', name = ''] = (await fileOf(before, id)).urlPath.split('/');
      for (const [viewer, found] of [
        [user('bob'), 0],
        [user('alice'), secretsIn(JPEG).length],
      ] as const) {
        const ctx = { ...before, viewer, settings: { ...before.settings, ...ALWAYS } };
        const opened = await openFile(ctx, dir, name);
        expect(secretsIn(await sentBytes(await opened!.read()))).toHaveLength(found);
      }
    }));
});

async function fileOf(ctx: Context, mediaId: number) {
  return (await filesByMediaIds(ctx, [mediaId])).get(mediaId)![0]!;
}

async function sendChunks(ctx: Context, bytes: Buffer): Promise<string> {
  const middle = Math.floor(bytes.length / 2);
  const first = { bytes: [bytes.subarray(0, middle)] };
  const start = { offsetBytes: 0, totalBytes: bytes.length, filename: 'a.jpg', chunk: first };
  const { uploadId } = await appendChunk(ctx, start);
  const rest = { bytes: [bytes.subarray(middle)] };
  await appendChunk(ctx, { uploadId, offsetBytes: middle, chunk: rest });
  return uploadId;
}
