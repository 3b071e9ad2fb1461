import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { expect, it, vi } from 'vitest';
import type { DomainEvent } from '../../../src/domain/event/event.ts';
import { filesByMediaIds, openFile } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { stageFile } from '../../../src/domain/upload/staging.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { createThumbnail as createThumbnailTask } from '../../../src/job/task/rendition/create-thumbnail.ts';
import { PermanentError } from '../../../src/job/task.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces, md5Of } from '../../support/bytes.ts';
import { quadrants, shadesOf } from '../../support/image.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const JPEG = await quadrants(1000, 500).withMetadata({ orientation: 6 }).jpeg().toBuffer();
const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

describeEachBackend('a thumbnail', (backend) => {
  it('is enqueued by every upload of an image, and by no other upload', () =>
    withServices(backend, async (services) => {
      const { file } = await store(services, JPEG, 'a.jpg');
      expect(await jobs(services)).toEqual([['make-rendition', { file_uuid: file.uuid }]]);
      for (const name of ['document.pdf', 'drawing.svg', 'clip.mp4', 'picture.heic', 'note.txt']) {
        await store(services, fixtureBytes(name), name);
      }
      const thumbnails = async () =>
        (await jobs(services)).filter(([jobClass]) => jobClass === 'make-rendition');
      expect(await thumbnails()).toHaveLength(1);
      for (const name of ['picture.avif', 'picture.webp', 'animation.gif']) {
        await store(services, fixtureBytes(name), name);
      }
      expect(await thumbnails()).toHaveLength(4);
    }));

  it('is a small file of the same media item, at its own URL', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, JPEG, 'a.jpg');
      const heard = listen(services);
      await createThumbnail(services.as(), file.uuid);
      const [original, thumbnail, ...others] = await filesOf(services, id);
      const { color, thumbhash, hasAlpha, isAnimated } = original!;
      expect([original, others]).toEqual([{ ...file, color, thumbhash, hasAlpha, isAnimated }, []]);
      expect(color).toBe(thumbnail!.color);
      const dir = file.urlPath.split('/')[2];
      expect(thumbnail).toMatchObject({
        ...{ key: 'thumbnail.webp', filename: 'thumbnail.webp', extension: 'webp' },
        ...{ mimeType: 'image/webp', width: 160, height: 320, mediaId: id },
        ...{ resource: file.resource, urlPath: `/media/${dir}/thumbnail.webp` },
      });
      expect(thumbnail!.color).toMatch(/^#[0-9a-f]{6}$/);
      expect(thumbnail!.sha256).toMatch(/^[0-9a-f]{64}$/);
      const bytes = await bytesAt(services, thumbnail!.urlPath);
      expect([md5Of(bytes), bytes.length]).toEqual([thumbnail!.md5, thumbnail!.sizeBytes]);
      // Turned clockwise, as it is shown.
      expect(await shadesOf(bytes)).toBe('blue red yellow lime blue');
      const { created_by, created_role } = await row(services, thumbnail!.uuid);
      expect([created_by, created_role]).toEqual([null, 'processor']);
      expect(await heard.stop()).toEqual([`updated ${id}`]);
    }));

  it('has another URL than an original of the same name', () =>
    withServices(backend, async (services) => {
      const bytes = fixtureBytes('picture.webp');
      const { id, file } = await store(services, bytes, 'Thumbnail.webp');
      await createThumbnail(services.as(), file.uuid);
      const [, thumbnail] = await filesOf(services, id);
      expect(file.urlPath).toMatch(/\/thumbnail\.webp$/);
      expect(thumbnail!.urlPath).toBe(file.urlPath.replace('.webp', '--2.webp'));
      expect((await bytesAt(services, file.urlPath)).equals(bytes)).toBe(true);
      expect((await bytesAt(services, thumbnail!.urlPath)).length).toBe(thumbnail!.sizeBytes);
    }));

  it('is never larger than the image, and never animated', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, fixtureBytes('animation.gif'), 'a.gif');
      await createThumbnail(services.as(), file.uuid);
      const [, thumbnail] = await filesOf(services, id);
      expect(thumbnail).toMatchObject({ width: 20, height: 16 });
      const { format, pages } = await sharp(await bytesAt(services, thumbnail!.urlPath)).metadata();
      expect([format, pages ?? 1]).toEqual(['webp', 1]);
    }));

  it('is created once, even by repeated and simultaneous calls', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, JPEG, 'a.jpg');
      const heard = listen(services);
      await Promise.all([
        createThumbnail(services.as(), file.uuid),
        createThumbnail(services.as(), file.uuid),
      ]);
      await createThumbnail(services.as(), file.uuid);
      expect(await filesOf(services, id)).toHaveLength(2);
      // With the sizes 160 and 320.
      expect(await countBlobs(services)).toBe(4);
      expect(await heard.stop()).toHaveLength(1);
    }));

  it('is created after a crash at any point, and the remains are swept', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, JPEG, 'a.jpg');
      const dead = new Error('dead');
      const { blobs } = services;
      const put = blobs.put.bind(blobs);
      // Before the end of the write, and after it.
      const steps: ((...blob: Parameters<typeof put>) => Promise<void>)[] = [
        (key) => {
          const part = join(services.blobDir, 'stored', key.slice(0, 2), key.slice(2, 4), key);
          mkdirSync(dirname(part), { recursive: true });
          writeFileSync(`${part}.0123abcd.part`, 'half');
          return Promise.reject(dead);
        },
        (...blob) => put(...blob).then(() => Promise.reject(dead)),
      ];
      for (const step of steps) {
        vi.spyOn(blobs, 'put').mockImplementationOnce(step);
        await expect(createThumbnail(services.as(), file.uuid)).rejects.toBe(dead);
        vi.restoreAllMocks();
      }
      expect(await countBlobs(services)).toBe(3);
      await createThumbnail(services.as(), file.uuid);
      expect(await filesOf(services, id)).toHaveLength(2);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 2, lost: 0 });
      expect(await countBlobs(services)).toBe(4);
    }));

  it('is deleted with its media item, and not created for a deleted one', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const [one, two] = [
          await store(services, JPEG, 'a.jpg'),
          await store(services, JPEG, 'b.jpg'),
        ];
        await createThumbnail(ctx, one.file.uuid);
        await deleteMedia(ctx, one.id);
        await createThumbnail(ctx, one.file.uuid);
        const { blobs } = services;
        const put = blobs.put.bind(blobs);
        vi.spyOn(blobs, 'put').mockImplementationOnce(async (...blob) => {
          await put(...blob);
          await deleteMedia(ctx, two.id);
        });
        await createThumbnail(ctx, two.file.uuid);
        await deleteBlobs(services);
        expect(await countBlobs(services)).toBe(0);
        expect(await services.db.selectFrom('file').selectAll().execute()).toEqual([]);
      },
      { trashDays: 0 },
    ));

  it('is created again from replaced bytes, and the old one is deleted', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, JPEG, 'a.jpg');
      const ctx = services.as(user());
      await createThumbnail(ctx, file.uuid);
      const [, before] = await filesOf(services, id);
      const claim = { filename: 'thumbnail.webp', declaredType: null };
      const staged = await stageFile(ctx, inPieces(fixtureBytes('picture.webp')), claim);
      await changeNode(ctx, id, {}, { staged, policy: { type: null } });
      const [original, ...none] = await filesOf(services, id);
      expect(none).toEqual([]);
      expect(original!.urlPath).toMatch(/\/thumbnail\.webp$/);
      expect((await jobs(services)).at(-1)).toEqual(['make-rendition', { file_uuid: file.uuid }]);
      await createThumbnail(ctx, file.uuid);
      const [, after] = await filesOf(services, id);
      expect(after).toMatchObject({ width: 20, height: 16 });
      expect(after!.md5).not.toBe(before!.md5);
      await deleteBlobs(services);
      // With the original that was replaced.
      expect(await countBlobs(services)).toBe(3);
    }));

  it('fails permanently for an unreadable image, and the media item stays', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, JPEG, 'a.jpg');
      const { signal } = new AbortController();
      const run = { jobId: 1, startedBy: null, signal, progress: () => undefined };
      const task = () => createThumbnailTask(services.as(), { file_uuid: file.uuid }, run);
      const read = vi.spyOn(services.blobs, 'withLocalFile');
      read.mockImplementation((_key, work) => work(import.meta.filename));
      await expect(task()).rejects.toThrow(PermanentError);
      read.mockRestore();
      // Lost, which is for an operator to see.
      const { blob_key } = await row(services, file.uuid);
      await services.blobs.delete(blob_key);
      await expect(task()).rejects.toThrow(PermanentError);
      expect(await filesOf(services, id)).toHaveLength(1);
      expect(await countBlobs(services)).toBe(0);
    }));

  it('is not created when the job is cancelled', () =>
    withServices(backend, async (services) => {
      const { file } = await store(services, JPEG, 'a.jpg');
      const made = createThumbnail(services.as(), file.uuid, AbortSignal.abort());
      await expect(made).rejects.toMatchObject({ name: 'AbortError' });
      expect(await countBlobs(services)).toBe(1);
    }));

  it('and a digest are enqueued by an upload in chunks', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const picture = fixtureBytes('picture.png');
      const chunk = { bytes: inPieces(picture) };
      const place = { offsetBytes: 0, totalBytes: picture.length, filename: 'a.png' };
      const { uploadId } = await appendChunk(ctx, { ...place, chunk });
      const { id } = await completeUpload(ctx, { uploadId, md5: md5Of(picture) });
      const [file] = await filesOf(services, id);
      const args = { file_uuid: file!.uuid };
      expect(await jobs(services)).toEqual([
        ['make-rendition', args],
        ['digest-file', args],
      ]);
      const rows = await services.db.selectFrom('job').select('media_id').execute();
      expect(rows.map(({ media_id }) => media_id)).toEqual([id, id]);
    }));
});

async function store(services: TestServices, bytes: Buffer, filename: string) {
  const source = { filename, bytes: inPieces(bytes, 65_536) };
  const { id } = await uploadFile(services.as(user()), source);
  const [file] = await filesOf(services, id);
  return { id, file: file! };
}

async function filesOf(services: TestServices, mediaId: number) {
  return (await filesByMediaIds(services.as(), [mediaId])).get(mediaId) ?? [];
}

function row({ db }: TestServices, uuid: string) {
  return db.selectFrom('file').where('uuid', '=', uuid).selectAll().executeTakeFirstOrThrow();
}

async function bytesAt(services: TestServices, urlPath: string): Promise<Buffer> {
  const [, , dir = '', name = ''] = urlPath.split('/');
  const { read } = (await openFile(services.as(), dir, name))!;
  return sentBytes(await read());
}

async function jobs({ db }: TestServices): Promise<[string, object][]> {
  const rows = await db
    .selectFrom('job')
    .where('job_class', '!=', 'delete-blob')
    .orderBy('id')
    .selectAll()
    .execute();
  return rows.map((job) => [job.job_class, JSON.parse(job.arguments)]);
}

/** Deletes the blobs as the jobs do. */
async function deleteBlobs({ db, blobs }: TestServices): Promise<void> {
  const rows = await db
    .selectFrom('job')
    .where('job_class', '=', 'delete-blob')
    .select('arguments')
    .execute();
  for (const job of rows) {
    for (const key of JSON.parse(job.arguments).blob_keys) await blobs.delete(key);
  }
}

async function countBlobs({ blobs }: TestServices): Promise<number> {
  return (await Array.fromAsync(blobs.list())).length;
}

/** Returns the events of media that are published from now on. */
function listen({ events }: TestServices) {
  const heard: string[] = [];
  const publish = vi.spyOn(events, 'publish').mockImplementation((event: DomainEvent) => {
    if (event.type === 'media') heard.push(`${event.kind} ${event.id}`);
  });
  return {
    stop: async () => {
      publish.mockRestore();
      return heard;
    },
  };
}
