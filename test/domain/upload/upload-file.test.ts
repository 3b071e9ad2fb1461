import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { type FileInput, uploadFile } from '../../../src/domain/upload/upload-file.ts';
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
} from '../../support/bytes.ts';

const CONNECTION_LOST = new Error('connection lost');

describeEachBackend('uploadFile', (backend) => {
  it('creates a media item from the bytes, with both digests', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const media = await upload(ctx, PNG, { filename: 'logo.png', md5: md5Of(PNG).toUpperCase() });
      const [file] = (await filesByMediaIds(ctx, [media.id])).get(media.id)!;
      expect(file).toMatchObject({
        sizeBytes: PNG.length,
        md5: md5Of(PNG),
        sha256: createHash('sha256').update(PNG).digest('hex'),
      });
      expect(file!.width).toBeGreaterThan(0);
      expect(await leftovers(services)).toEqual({ ...NOTHING, medias: 1, files: 1, stored: 1 });
    }));

  it.each([1, 131_071, 131_072, 131_073, 200_000])(
    '%i bytes that arrive one by one are stored as they were sent',
    (count) =>
      withServices(backend, async (services) => {
        const ctx = services.as(user());
        const bytes = Buffer.from(Array.from({ length: count }, (_, at) => (at * 7919) % 251));
        const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
        const media = await uploadFile(ctx, { bytes: Readable.from(single), filename: 'a.bin' });
        const [file] = (await filesByMediaIds(ctx, [media.id])).get(media.id)!;
        expect([file!.sizeBytes, file!.md5]).toEqual([count, md5Of(bytes)]);
        const [blob] = await Array.fromAsync(services.blobs.list());
        const stored = Buffer.concat(await Array.fromAsync(await services.blobs.read(blob!.key)));
        expect(stored.equals(bytes)).toBe(true);
      }),
  );

  const TYPES = {
    image: {
      'picture.png': 'image/png',
      'photo-with-exif-rotation.jpg': 'image/jpeg',
      'animation.gif': 'image/gif',
      'picture.webp': 'image/webp',
    },
    vector: { 'drawing.svg': 'image/svg+xml' },
    video: { 'clip.mp4': 'video/mp4' },
    audio: { 'sound.mp3': 'audio/mpeg' },
    doc: { 'document.pdf': 'application/pdf' },
    file: { 'table.csv': 'text/csv', 'page.html': 'text/html', 'archive.zip': 'application/zip' },
  };

  it.each(
    Object.entries(TYPES).flatMap(([type, files]) =>
      Object.entries(files).map(([filename, mimeType]) => [filename, type, mimeType] as const),
    ),
  )('%s becomes %s of %s', (filename, type, mimeType) =>
    withServices(backend, async ({ as }) => {
      const media = await upload(as(), fixtureBytes(filename), { filename });
      expect(media).toMatchObject({ type, name: filename });
      const files = await filesByMediaIds(as(), [media.id]);
      expect(files.get(media.id)).toMatchObject([{ mimeType, filename }]);
    }),
  );

  it.each<[string, () => Partial<FileInput>, object]>([
    ['with a wrong MD5', () => ({ md5: '0'.repeat(32) }), { code: 'DIGEST_MISMATCH' }],
    ['with a malformed MD5', () => ({ md5: 'x' }), { code: 'INVALID_INPUT' }],
    ['without a byte', () => ({ bytes: inPieces(Buffer.alloc(0)) }), { code: 'INVALID_INPUT' }],
    [
      'with an extension that is dangerous for its content',
      () => ({ filename: 'logo.html' }),
      { code: 'UNSUPPORTED_MEDIA' },
    ],
    [
      'with a declared type that is dangerous for its content',
      () => ({ declaredType: 'text/html' }),
      { code: 'UNSUPPORTED_MEDIA' },
    ],
    ['as a type that its content is not', () => ({ type: 'audio' }), { code: 'UNSUPPORTED_MEDIA' }],
    [
      'that is a damaged image, as an image',
      () => ({ bytes: inPieces(PNG.subarray(0, -30)), type: 'image' }),
      { code: 'UNSUPPORTED_MEDIA' },
    ],
    [
      'in a folder that does not exist',
      () => ({ folderId: 404 }),
      { code: 'NOT_FOUND', noun: 'folder' },
    ],
    [
      'with a tag that does not exist',
      () => ({ tagIds: [404] }),
      { code: 'NOT_FOUND', noun: 'tag' },
    ],
    [
      'with too many tags',
      () => ({ tagIds: Array.from(Array(201).keys()) }),
      { code: 'INVALID_INPUT' },
    ],
    [
      'whose client disconnects midway',
      () => ({ bytes: brokenOff(PNG, CONNECTION_LOST) }),
      CONNECTION_LOST,
    ],
  ])('a file %s is refused, and nothing is stored', (_, wrong, error) =>
    withServices(backend, async (services) => {
      const uploaded = upload(services.as(), PNG, { filename: 'logo.png', ...wrong() });
      await expect(uploaded).rejects.toMatchObject(error);
      expect(await leftovers(services)).toEqual(NOTHING);
    }),
  );

  it('a file is rejected as soon as it exceeds the limit', () =>
    withServices(
      backend,
      async (services) => {
        let sent = 0;
        async function* endless() {
          for (;;) {
            sent += 100;
            yield Buffer.alloc(100);
          }
        }
        const uploaded = uploadFile(services.as(), { filename: 'a.bin', bytes: endless() });
        await expect(uploaded).rejects.toMatchObject({ code: 'TOO_LARGE', limitBytes: 1000 });
        expect(sent).toBe(1100);
        expect(await leftovers(services)).toEqual(NOTHING);
      },
      { fileBytesMax: 1000 },
    ));

  it.each<[string, object, object]>([
    [
      'the limit for images applies to an image',
      { imageBytesMax: 100 },
      { code: 'TOO_LARGE', limitBytes: 100 },
    ],
    [
      'an image with more pixels than allowed is rejected',
      { imagePixelsMax: 4 },
      { code: 'UNSUPPORTED_MEDIA' },
    ],
  ])('%s', (_name, limits, error) =>
    withServices(
      backend,
      async (services) => {
        const uploaded = upload(services.as(), PNG, { filename: 'logo.png' });
        await expect(uploaded).rejects.toMatchObject(error);
        expect(await leftovers(services)).toEqual(NOTHING);
      },
      limits,
    ),
  );

  it('when the database fails, there is no media item, and the bytes are left to the sweep', () =>
    withServices(backend, async (services) => {
      const newId = () => {
        throw new Error('out of ids');
      };
      const uploaded = upload({ ...services.as(), newId }, PNG, { filename: 'logo.png' });
      await expect(uploaded).rejects.toThrow('out of ids');
      expect(await leftovers(services)).toEqual({ ...NOTHING, stored: 1 });
    }));
});

function upload(ctx: Context, bytes: Uint8Array, input: Partial<FileInput>) {
  return uploadFile(ctx, { filename: '', bytes: inPieces(bytes), ...input });
}
