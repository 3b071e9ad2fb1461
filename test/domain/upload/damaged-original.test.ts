import { expect, it } from 'vitest';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { findMedia } from '../../../src/domain/tree/media.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { createThumbnail } from '../../../src/job/task/rendition/create-thumbnail.ts';
import { PermanentError } from '../../../src/job/task.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { noise } from '../../support/image.ts';

describeEachBackend('an image that the upload does not decode', (backend) => {
  it.each([
    ['is a file, for good, once its thumbnail shows that it is damaged', damagedTable, null],
    ['stays an image without its end marker', withoutEnd, 'thumbnail.webp'],
  ])('%s', (_, make, thumbnail) =>
    withServices(backend, async (services) => {
      const { id } = await upload(services, await make());
      const [file] = await filesOf(services, id);
      expect(file).toMatchObject({ width: 60, height: 40 });
      const made = runJob(services, file!.uuid);
      if (thumbnail === null) await expect(made).rejects.toBeInstanceOf(PermanentError);
      else await made;
      const isImage = thumbnail !== null;
      const size = isImage ? { width: 60, height: 40 } : { width: null, height: null };
      const files = await filesOf(services, id);
      expect(files[0]).toMatchObject({ ...size, mimeType: 'image/jpeg', uuid: file!.uuid });
      expect(files[1]?.key ?? null).toBe(thumbnail);
      const media = await findMedia(services.as(user()), { id });
      expect(media?.type).toBe(isImage ? 'image' : 'file');
      // A file without a size is not rendered again.
      await runJob(services, file!.uuid);
    }),
  );

  it('stays an image if the server lacks the memory or the time to render it', () =>
    withServices(backend, async (services) => {
      const { id } = await upload(services, await photo());
      const [file] = await filesOf(services, id);
      const limited = { ...services.settings, imagePixelsMax: 100 };
      await expect(runJob({ ...services, settings: limited }, file!.uuid)).rejects.toThrow();
      expect((await findMedia(services.as(user()), { id }))?.type).toBe('image');
    }));
});

function upload(services: TestServices, bytes: Buffer) {
  return uploadFile(services.as(user()), { filename: 'a.jpg', bytes: inPieces(bytes, 1000) });
}

async function filesOf(services: TestServices, mediaId: number) {
  return (await filesByMediaIds(services.as(user()), [mediaId])).get(mediaId) ?? [];
}

function runJob(services: TestServices, file_uuid: string) {
  const run = { signal: new AbortController().signal } as never;
  return createThumbnail({ ...services, viewer: user() }, { file_uuid }, run);
}

/** A JPEG whose structure is intact, with a table of codes that no decoder accepts. */
async function damagedTable(): Promise<Buffer> {
  const bytes = await photo();
  const table = bytes.lastIndexOf(Buffer.from([0xff, 0xc4]));
  bytes.fill(0xfe, table + 5, table + 21);
  return bytes;
}

async function withoutEnd(): Promise<Buffer> {
  return (await photo()).subarray(0, -2);
}

function photo(): Promise<Buffer> {
  return noise().jpeg({ progressive: true }).toBuffer();
}
