import { expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import {
  abortUpload,
  appendChunk,
  type ChunkInput,
  type CompleteInput,
  completeUpload,
} from '../../../src/domain/upload/upload.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import {
  brokenOff,
  fixtureBytes,
  inPieces,
  leftovers,
  md5Of,
  NOTHING,
  PNG,
  PNG_MD5,
} from '../../support/bytes.ts';
import { makeMediaRow } from '../../support/make.ts';

const DAY_MS = 24 * 3_600_000;
const CONNECTION_LOST = new Error('connection lost');

/** Created anew for each test: bytes can be read only once. */
type Wrong = () => Partial<ChunkInput>;

const WRONG_CHUNKS: [string, Wrong, object][] = [
  ['without a byte', () => bytesOf(0), issue('chunk', 'EMPTY')],
  [
    'that exceeds the end of the file',
    () => ({ chunk: { bytes: inPieces(Buffer.alloc(PNG.length + 1)) } }),
    issue('chunk', 'PAST_END'),
  ],
  ['shorter than declared', () => bytesOf(9, { sizeBytes: 10 }), issue('chunk', 'SIZE_MISMATCH')],
  ['longer than declared', () => bytesOf(11, { sizeBytes: 10 }), issue('chunk', 'SIZE_MISMATCH')],
  ['with a wrong MD5', () => ({ md5: PNG_MD5 }), { code: 'DIGEST_MISMATCH', expected: PNG_MD5 }],
  ['with a malformed MD5', () => ({ md5: 'abc' }), issue('md5')],
  ['with a negative offset', () => ({ offsetBytes: -1 }), issue('offsetBytes')],
  ['with a fractional offset', () => ({ offsetBytes: 0.5 }), issue('offsetBytes')],
  ['of an empty file', () => ({ totalBytes: 0 }), issue('totalBytes')],
  [
    'of a file larger than any limit',
    () => ({ totalBytes: 2 ** 31 }),
    { code: 'TOO_LARGE', limitBytes: 2 ** 30 },
  ],
  ['whose client disconnects midway', () => broken(), CONNECTION_LOST],
];

describeEachBackend('a first chunk', (backend) => {
  it.each<[string, Wrong, object]>([
    ...WRONG_CHUNKS,
    ['that does not start at 0', () => ({ offsetBytes: 5 }), offsetMismatch(0)],
    [
      'of an image larger than the limit for images',
      () => ({ totalBytes: 50 * 2 ** 20 + 1 }),
      {
        code: 'TOO_LARGE',
        message: 'The size exceeds the limit of 50 MiB (TRIVIUM_IMAGE_BYTES_MAX).',
      },
    ],
  ])('%s is refused, and nothing is stored', (_, wrong, error) =>
    withServices(backend, async (services) => {
      await expect(first(services.as(), wrong())).rejects.toMatchObject(error);
      expect(await leftovers(services)).toEqual(NOTHING);
    }),
  );
});

describeEachBackend('a later chunk', (backend) => {
  it.each<[string, Wrong, object]>([
    ...WRONG_CHUNKS,
    ['that was sent before', () => ({ offsetBytes: 0 }), offsetMismatch(100)],
    ['that leaves a gap', () => ({ offsetBytes: 101 }), offsetMismatch(100)],
    [
      'with another total',
      () => ({ offsetBytes: 100, totalBytes: PNG.length - 1 }),
      issue('totalBytes', 'TOTAL_CHANGED'),
    ],
    [
      'of an unknown upload',
      () => ({ uploadId: '0'.repeat(32) }),
      { code: 'NOT_FOUND', noun: 'upload' },
    ],
    ['with a malformed id', () => ({ uploadId: 'a\0' }), { code: 'NOT_FOUND' }],
  ])('%s is refused, and the upload continues at its offset', (_, wrong, error) =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { uploadId } = await first(ctx);
      await expect(next(ctx, { uploadId, ...wrong() })).rejects.toMatchObject(error);
      expect(await leftovers(services)).toEqual({ ...NOTHING, openAt: [100], staged: 1 });
      await finish(ctx, uploadId);
    }),
  );

  it.each([
    ['another user’s', user('bob')],
    ['another user’s, by an admin', user('bob', 'admin')],
    ['a user’s, by an anonymous viewer', undefined],
  ])('of an upload that is %s is refused as not found', (_, viewer) =>
    withServices(backend, async (services) => {
      const { uploadId } = await first(services.as(user()));
      const intruder = services.as(viewer);
      const attempts = [
        next(intruder, { uploadId }),
        completeUpload(intruder, { uploadId, md5: PNG_MD5 }),
        abortUpload(intruder, { uploadId }),
      ];
      for (const attempt of attempts) {
        await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      await finish(services.as(user()), uploadId);
    }),
  );

  it('is accepted until the upload expires, and rejected from then on', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const { uploadId } = await first(ctx);
      services.advance(DAY_MS - 1);
      await next(ctx, { uploadId, ...bytesOf(10) });
      services.advance(1);
      const expired = { code: 'UPLOAD_EXPIRED' };
      await expect(next(ctx, { uploadId, offsetBytes: 110 })).rejects.toMatchObject(expired);
      await expect(completeUpload(ctx, { uploadId, md5: PNG_MD5 })).rejects.toMatchObject(expired);
    }));

  it('of a completed upload is rejected', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const { uploadId } = await first(ctx);
      await finish(ctx, uploadId);
      const completed = { code: 'UPLOAD_COMPLETED' };
      await expect(next(ctx, { uploadId })).rejects.toMatchObject(completed);
      await expect(completeUpload(ctx, { uploadId, md5: PNG_MD5 })).rejects.toMatchObject(
        completed,
      );
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));
});

describeEachBackend('a completion', (backend) => {
  it.each<[string, Partial<CompleteInput>, object]>([
    ['with a wrong MD5', { md5: '0'.repeat(32) }, { code: 'DIGEST_MISMATCH', actual: PNG_MD5 }],
    ['with a malformed MD5', { md5: '' }, issue('md5')],
    [
      'as a type that the content is not',
      { type: 'doc' },
      { code: 'UNSUPPORTED_MEDIA', mediaType: 'image/png' },
    ],
    ['as a type that cannot hold a file', { type: 'url' }, issue('type')],
    [
      'as a type that the dialect does not support',
      { allowedTypes: ['doc'] },
      { code: 'UNSUPPORTED_MEDIA' },
    ],
    ['in a folder that does not exist', { folderId: 404 }, { code: 'NOT_FOUND', noun: 'folder' }],
    ['with a tag that does not exist', { tagIds: [404] }, { code: 'NOT_FOUND', noun: 'tag' }],
    ['with a title that is too long', { title: 'x'.repeat(256) }, issue('title')],
    ['with a NUL in its description', { description: 'a\0' }, issue('description')],
  ])('%s is refused, and may be tried again', (_, wrong, error) =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const { uploadId } = await first(ctx);
      await next(ctx, { uploadId });
      const completed = completeUpload(ctx, { uploadId, md5: PNG_MD5, ...wrong });
      await expect(completed).rejects.toMatchObject(error);
      expect(await leftovers(services)).toEqual({ ...NOTHING, openAt: [PNG.length], staged: 1 });
      await completeUpload(ctx, { uploadId, md5: PNG_MD5 });
    }),
  );

  it('before the last byte is rejected with the current offset', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const { uploadId } = await first(ctx);
      const completed = completeUpload(ctx, { uploadId, md5: md5Of(PNG.subarray(0, 100)) });
      await expect(completed).rejects.toMatchObject(offsetMismatch(100));
      await finish(ctx, uploadId);
    }));

  it('in a folder that is a media item is rejected', () =>
    withServices(backend, async (services) => {
      const folderId = await makeMediaRow(services.db);
      const { uploadId } = await first(services.as());
      await next(services.as(), { uploadId });
      const completed = completeUpload(services.as(), { uploadId, md5: PNG_MD5, folderId });
      await expect(completed).rejects.toMatchObject({ code: 'NOT_FOUND', noun: 'folder' });
    }));

  it.each([
    ['page.html', 'page.png', null],
    ['page.html', 'page', 'image/png'],
    ['drawing.svg', 'drawing.png', null],
    ['picture.png', 'picture.svg', null],
    ['picture.png', 'picture', 'text/html'],
    ['pixel-bomb.png', 'bomb.png', null],
    ['document.pdf', 'document.exe', null],
  ])(
    'of %s called "%s", declared %s, is rejected; its bytes are deleted with the session',
    (file, filename, declaredType) =>
      withServices(backend, async (services) => {
        const bytes = fixtureBytes(file);
        const chunk = { bytes: inPieces(bytes) };
        const claim = { filename, declaredType, offsetBytes: 0, totalBytes: bytes.length };
        const { uploadId } = await appendChunk(services.as(), { ...claim, chunk });
        const completed = completeUpload(services.as(), { uploadId, md5: md5Of(bytes) });
        await expect(completed).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA' });
        expect(await leftovers(services)).toMatchObject({
          medias: 0,
          files: 0,
          stored: 0,
          staged: 1,
        });
        await abortUpload(services.as(), { uploadId });
        expect(await leftovers(services)).toEqual(NOTHING);
      }),
  );
});

function offsetMismatch(offsetBytes: number) {
  return { code: 'OFFSET_MISMATCH', offsetBytes };
}

function issue(field: string, code?: string) {
  const expected = { path: [field], ...(code !== undefined && { code }) };
  return { code: 'INVALID_INPUT', issues: [expected] };
}

function bytesOf(count: number, more: { sizeBytes?: number } = {}): Partial<ChunkInput> {
  return { chunk: { bytes: inPieces(PNG.subarray(0, count)), ...more } };
}

function broken(): Partial<ChunkInput> {
  return { chunk: { bytes: brokenOff(PNG.subarray(0, 30), CONNECTION_LOST) } };
}

function first(ctx: Context, input: Partial<ChunkInput> = {}) {
  const chunk = { bytes: inPieces(PNG.subarray(0, 100)) };
  const place = { offsetBytes: 0, totalBytes: PNG.length };
  return appendChunk(ctx, { filename: 'logo.png', ...place, chunk, ...input });
}

function next(ctx: Context, input: Partial<ChunkInput>) {
  const chunk = { bytes: inPieces(PNG.subarray(100)) };
  const place = { offsetBytes: 100, totalBytes: PNG.length };
  return appendChunk(ctx, { ...place, chunk, ...input });
}

/** Sends the missing bytes and completes the upload. */
async function finish(ctx: Context, uploadId: string): Promise<void> {
  await next(ctx, { uploadId });
  await completeUpload(ctx, { uploadId, md5: PNG_MD5 });
}
