import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFileStaging } from '../../../src/blob/file-staging.ts';
import type { Context } from '../../../src/domain/context.ts';
import {
  NotFoundError,
  OffsetMismatchError,
  UploadCompletedError,
} from '../../../src/domain/error.ts';
import { filesByMediaIds, openFile } from '../../../src/domain/file/file.ts';
import { tagsByMediaIds } from '../../../src/domain/tag/tag.ts';
import { findUploadSession } from '../../../src/domain/upload/session.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { createTestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { brokenOff, inPieces, leftovers, NOTHING, PNG, PNG_MD5 } from '../../support/bytes.ts';
import { makeFolder, makeTag } from '../../support/make.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const HOUR_MS = 3_600_000;

describeEachBackend('chunked upload', (backend) => {
  it('chunks of any size result in a media item with exactly the bytes of the file', () =>
    withServices(backend, async ({ as }) => {
      const ctx = as(user());
      const uploadId = await send(ctx, [0, 1, 100, 101, PNG.length]);
      const media = await completeUpload(ctx, { uploadId, md5: PNG_MD5 });
      expect(media).toMatchObject({ type: 'image', name: 'logo.png', owner: 'alice', level: 0 });
      const [file] = (await filesByMediaIds(ctx, [media.id])).get(media.id) ?? [];
      expect(file).toMatchObject({
        filename: 'logo.png',
        extension: 'png',
        mimeType: 'image/png',
        sizeBytes: PNG.length,
        md5: PNG_MD5,
        sha256: null,
        urlPath: expect.stringMatching(/^\/media\/[a-z0-5]{8}\/logo\.png$/),
      });
      const [, , dir, name] = file!.urlPath.split('/');
      const opened = await openFile(ctx, dir!, name!);
      expect(await sentBytes(await opened!.read())).toEqual(PNG);
    }));

  it('a media item is created in the given folder, with its title and tags', () =>
    withServices(backend, async ({ db, as }) => {
      const [folderId, tag] = [await makeFolder(db), await makeTag(db)];
      const uploadId = await send(as(), [0, PNG.length]);
      const words = { title: 'The logo', description: 'In blue.' };
      const place = { folderId, tagIds: [tag.id, tag.id] };
      const media = await completeUpload(as(), { uploadId, md5: PNG_MD5, ...words, ...place });
      expect(media).toMatchObject({ ...words, name: 'The logo', parentId: folderId, level: 2 });
      expect((await tagsByMediaIds(as(), [media.id])).get(media.id)).toMatchObject([
        { id: tag.id },
      ]);
    }));

  it.each([
    ['', 'image.png'],
    ['blob', 'image.png'],
    ['../../etc/logo.png', 'logo.png'],
    ['C:\\pictures\\Größe.PNG', 'Größe.PNG'],
    ['...', 'image.png'],
    ['\u3164.png', 'image.png'],
    ['.gitignore', '.gitignore'],
  ])('a file called %j is kept as %j', (filename, kept) =>
    withServices(backend, async ({ as }) => {
      const uploadId = await send(as(), [0, PNG.length], filename);
      const media = await completeUpload(as(), { uploadId, md5: PNG_MD5 });
      expect(media.name).toBe(kept);
    }),
  );

  it('continues after every chunk in a new process', () =>
    withServices(backend, async (services) => {
      const start = createTestServices(services).as(user());
      let uploadId: string | undefined;
      for (const [from, to] of [
        [0, 50],
        [50, 400],
        [400, PNG.length],
      ] as const) {
        const ctx = createTestServices(services).as(user());
        const session = await sendChunk(ctx, from, to, { uploadId });
        uploadId = session.uploadId;
      }
      await completeUpload(start, { uploadId: uploadId!, md5: PNG_MD5 });
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));

  it('reports its offset and its expiry', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const expiresAt = new Date(services.clock() + 24 * HOUR_MS);
      const { uploadId } = await sendChunk(ctx, 0, 10);
      services.advance(HOUR_MS);
      const second = await sendChunk(ctx, 10, 30, { uploadId });
      const totalBytes = PNG.length;
      expect(second).toEqual({
        uploadId,
        filename: 'logo.png',
        offsetBytes: 30,
        totalBytes,
        expiresAt,
      });
      expect(await findUploadSession(ctx, uploadId)).toEqual(second);
    }));

  it('is found only by its own viewer, and only while it is open', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const uploadId = await send(ctx, [0, PNG.length]);
      for (const other of [
        services.as(user('bob')),
        services.as(user('bob', 'admin')),
        services.as(),
      ]) {
        expect(await findUploadSession(other, uploadId)).toBeNull();
      }
      expect(await findUploadSession(ctx, 'unknown\0')).toBeNull();
      await completeUpload(ctx, { uploadId, md5: PNG_MD5 });
      expect(await findUploadSession(ctx, uploadId)).toBeNull();
    }));

  it('a chunk costs one statement to check and one to record', () =>
    withServices(backend, async ({ as, statements }) => {
      const { uploadId } = await sendChunk(as(), 0, 10);
      statements.length = 0;
      await sendChunk(as(), 10, 20, { uploadId });
      expect(statements).toEqual([
        expect.stringMatching(/^select .* from "upload"/),
        expect.stringMatching(/^update "upload"/),
      ]);
    }));

  it('one of several racing chunks wins, and the others learn the right offset', () =>
    withServices(backend, async ({ as }) => {
      const { uploadId } = await sendChunk(as(), 0, 10);
      const race = [20, 30, 40, 50].map((to) => sendChunk(as(), 10, to, { uploadId }));
      const outcomes = await Promise.allSettled(race);
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(won).toHaveLength(1);
      const { offsetBytes } = won[0]!.value;
      for (const outcome of outcomes.filter((outcome) => outcome.status === 'rejected')) {
        expect(outcome.reason).toBeInstanceOf(OffsetMismatchError);
        expect(outcome.reason).toMatchObject({ offsetBytes });
      }
      await sendChunk(as(), offsetBytes, PNG.length, { uploadId });
      await completeUpload(as(), { uploadId, md5: PNG_MD5 });
    }));

  it('one of several racing completions creates a media item', () =>
    withServices(backend, async (services) => {
      const uploadId = await send(services.as(), [0, PNG.length]);
      const complete = () => completeUpload(services.as(), { uploadId, md5: PNG_MD5 });
      const outcomes = await Promise.allSettled([complete(), complete(), complete()]);
      const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(reasons).toHaveLength(2);
      for (const reason of reasons) expect(reason).toBeInstanceOf(UploadCompletedError);
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));

  it('completing does not read the bytes again for their digest', () =>
    withServices(backend, async ({ as, db, blobDir }) => {
      const uploadId = await send(as(), [0, 10, PNG.length]);
      const row = await db.selectFrom('upload').select('blob_key').executeTakeFirstOrThrow();
      // The staged bytes are now part of an image, and have another digest.
      writeFileSync(join(blobDir, 'staging', row.blob_key), PNG.subarray(0, 8));
      const completed = completeUpload(as(), { uploadId, md5: PNG_MD5, type: 'image' });
      await expect(completed).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
    }));

  it('a process reads the chunks that another one took, and each gets the same digest', () =>
    withServices(backend, async (services) => {
      const here = services.as();
      const { blobs, blobDir } = services;
      const directory = join(blobDir, 'staging');
      const there = { ...here, staging: await createFileStaging({ directory, blobs }) };
      const { uploadId } = await sendChunk(here, 0, 100);
      await sendChunk(there, 100, 150, { uploadId });
      await sendChunk(here, 150, 200, { uploadId });
      await sendChunk(there, 200, PNG.length, { uploadId });
      await completeUpload(here, { uploadId, md5: PNG_MD5 });
      there.staging.close();
    }));

  it('a chunk that failed leaves no trace in the digest', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const { uploadId } = await sendChunk(ctx, 0, 100);
      const chunk = { bytes: brokenOff(PNG.subarray(100, 150), new Error('gone')) };
      const failed = appendChunk(ctx, { uploadId, offsetBytes: 100, chunk });
      await expect(failed).rejects.toThrow('gone');
      await sendChunk(ctx, 100, PNG.length, { uploadId });
      await completeUpload(ctx, { uploadId, md5: PNG_MD5 });
    }));

  it('abort deletes the session and its bytes', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { uploadId } = await sendChunk(ctx, 0, 10);
      await abortUpload(ctx, { uploadId });
      expect(await leftovers(services)).toEqual(NOTHING);
      await expect(abortUpload(ctx, { uploadId })).rejects.toThrow(NotFoundError);
      await expect(sendChunk(ctx, 10, 20, { uploadId })).rejects.toThrow(NotFoundError);
    }));

  it('abort rejects another viewer’s session, and a completed one', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const uploadId = await send(ctx, [0, PNG.length]);
      const others = abortUpload(services.as(user('bob', 'admin')), { uploadId });
      await expect(others).rejects.toThrow(NotFoundError);
      await completeUpload(ctx, { uploadId, md5: PNG_MD5 });
      await expect(abortUpload(ctx, { uploadId })).rejects.toThrow(UploadCompletedError);
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));
});

/** Sends a range of the image. */
function sendChunk(
  ctx: Context,
  from: number,
  to: number,
  { uploadId, filename = 'logo.png' }: { uploadId?: string | undefined; filename?: string } = {},
) {
  const chunk = { bytes: inPieces(PNG.subarray(from, to)) };
  const place = { offsetBytes: from, totalBytes: PNG.length };
  return appendChunk(ctx, { uploadId, filename, ...place, chunk });
}

/** Sends the image in chunks that end at the given offsets. Returns the id of the session. */
async function send(ctx: Context, bounds: number[], filename?: string): Promise<string> {
  let uploadId: string | undefined;
  for (let index = 1; index < bounds.length; index++) {
    const options = { uploadId, ...(filename !== undefined && { filename }) };
    const session = await sendChunk(ctx, bounds[index - 1]!, bounds[index]!, options);
    uploadId = session.uploadId;
  }
  return uploadId!;
}
