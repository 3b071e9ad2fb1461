import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import type { ByteRange } from '../../../src/blob/byte-range.ts';
import type { Settings } from '../../../src/domain/context.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { openRendition } from '../../../src/domain/rendition/rendition.ts';
import type { Query } from '../../../src/domain/rendition/request.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { stageFile } from '../../../src/domain/upload/staging.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { createTestServices, type TestServices, user, withServices } from '../../support/app.ts';
import { BACKENDS, type Backend, describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';
import { animatedPng, quadrants, shadesOf } from '../../support/image.ts';
import { makeFolder } from '../../support/make.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const JPEG = await quadrants(400, 200).jpeg().toBuffer();
const HOUR_MS = 3_600_000;
const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

describeEachBackend('a rendition', (backend) => {
  it('is rendered once, stored, and used for all equal requests', () =>
    withPicture(backend, async (picture, services) => {
      const first = await picture.get({ width: '100' });
      expect(first.file).toMatchObject({ filename: 'a.jpg', mimeType: 'image/jpeg' });
      expect(first.file.sizeBytes).toBe(first.bytes.length);
      const made = vi.spyOn(services.blobs, 'put');
      const other = await picture.get({ height: '50', v: '1' });
      expect(other.bytes.equals(first.bytes)).toBe(true);
      expect(other.file.md5).toBe(first.file.md5);
      const smaller = await picture.get({ width: '99', format: 'webp' });
      expect(smaller.file).toMatchObject({ filename: 'a.webp', mimeType: 'image/webp' });
      expect(smaller.file.md5).not.toBe(first.file.md5);
      expect(made).toHaveBeenCalledOnce();
      expect(await renditions(services)).toHaveLength(2);
    }));

  it('that is stored costs two statements, and writes its last use at most once an hour', () =>
    withPicture(backend, async (picture, services) => {
      await picture.get({ width: '100' });
      services.statements.length = 0;
      await picture.get({ width: '100' });
      expect(services.statements).toHaveLength(2);
      const [before] = await renditions(services);
      services.advance(HOUR_MS);
      await picture.get({ width: '100' });
      const [after] = await renditions(services);
      expect(after!.used_at).toBe(before!.used_at + HOUR_MS);
    }));

  it('is delivered while the disk is full, and stored when there is room again', () =>
    withPicture(backend, async (picture, services) => {
      const full = Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
      const put = vi.spyOn(services.blobs, 'put').mockRejectedValueOnce(full);
      const unkept = await picture.get({ width: '100' });
      expect(put).toHaveBeenCalledOnce();
      expect(await renditions(services)).toHaveLength(0);
      const kept = await picture.get({ width: '100' });
      expect(await renditions(services)).toHaveLength(1);
      expect(kept.bytes.equals(unkept.bytes)).toBe(true);
      expect(kept.file.md5).toBe(unkept.file.md5);
    }));

  it('of 100 simultaneous requests is rendered once', () =>
    withPicture(backend, async (picture, services) => {
      const read = vi.spyOn(services.blobs, 'withLocalFile');
      const written = vi.spyOn(services.blobs, 'put');
      const all = await Promise.all(
        Array.from({ length: 100 }, () => picture.get({ width: '100' })),
      );
      expect(new Set(all.map(({ file }) => file.md5)).size).toBe(1);
      expect(all.every(({ bytes }) => bytes.equals(all[0]!.bytes))).toBe(true);
      expect([read.mock.calls.length, written.mock.calls.length]).toEqual([1, 1]);
      expect(await countBlobs(services)).toBe(2);
    }));

  it('that appeared while a request waited is not rendered again', () =>
    withPicture(backend, async (picture, services) => {
      const other = createTestServices(services);
      const written = vi.spyOn(services.blobs, 'put');
      const { run } = services.renders;
      services.renders.run = async (key, work) => {
        await picture.get({ width: '100' }, other);
        return run(key, work);
      };
      await picture.get({ width: '100' });
      expect(written).toHaveBeenCalledOnce();
    }));

  it('rendered by two processes at once is stored once, with its bytes', () =>
    withPicture(backend, async (picture, services) => {
      const other = createTestServices(services);
      const { promise: bothAreAtIt, resolve } = Promise.withResolvers<void>();
      const put = services.blobs.put.bind(services.blobs);
      const written = vi.spyOn(services.blobs, 'put').mockImplementation(async (...blob) => {
        if (written.mock.calls.length === 2) resolve();
        await bothAreAtIt;
        return put(...blob);
      });
      const both = [picture.get({ width: '100' }), picture.get({ width: '100' }, other)];
      const [one, two] = await Promise.all(both);
      expect(one!.bytes.equals(two!.bytes)).toBe(true);
      expect(await renditions(services)).toHaveLength(1);
      expect(await countBlobs(services)).toBe(2);
    }));

  it('is deleted with its media item, and with the folder of the media item', () =>
    withPicture(backend, async (picture, services) => {
      const ctx = services.as(user());
      await picture.get({ width: '100' });
      await picture.get({ width: '50' });
      await deleteMedia(ctx, picture.mediaId);
      expect(await renditions(services)).toEqual([]);
      // The trash keeps the originals.
      expect(await blobsToDelete(services)).toHaveLength(2);
      const folderId = await makeFolder(services.db, { owner: 'alice' });
      const filed = await storePicture(services, JPEG, folderId);
      await filed.get({ width: '100' });
      await deleteFolder(ctx, folderId, { recursive: true });
      expect(await blobsToDelete(services)).toHaveLength(3);
      await deleteBlobs(services);
      expect(await countBlobs(services)).toBe(2);
    }));

  it('shows the new bytes as soon as the file is replaced', () =>
    withPicture(backend, async (picture, services) => {
      const before = await picture.get({ width: '100' });
      await replace(services, picture.mediaId, await quadrants(400, 200).negate().png().toBuffer());
      const after = await picture.get({ width: '100', format: 'jpg' });
      expect(after.file.md5).not.toBe(before.file.md5);
      expect(await shadesOf(before.bytes)).toMatch(/^red/);
      expect(await shadesOf(after.bytes)).not.toMatch(/^red/);
      expect(await renditions(services)).toHaveLength(1);
      await deleteBlobs(services);
      // With the file that was replaced.
      expect(await countBlobs(services)).toBe(3);
    }));

  it('is not stored if the bytes of its file are replaced during the rendering', () =>
    withPicture(backend, async (picture, services) => {
      const { blobs } = services;
      const put = vi.spyOn(blobs, 'put').mockImplementationOnce(async (...blob) => {
        put.mockRestore();
        await blobs.put(...blob);
        await replace(services, picture.mediaId, fixtureBytes('picture.png'));
      });
      await expect(picture.get({ width: '100' })).rejects.toThrow('gone');
      expect(await renditions(services)).toEqual([]);
      await deleteBlobs(services);
      // The file and the one that was replaced.
      expect(await countBlobs(services)).toBe(2);
    }));

  it('is rendered again if its bytes are lost', () =>
    withPicture(backend, async (picture, services) => {
      const { bytes } = await picture.get({ width: '100' });
      const [row] = await renditions(services);
      await services.blobs.delete(row!.blob_key);
      await expect(picture.get({ width: '100' })).rejects.toThrow('gone');
      expect((await picture.get({ width: '100' })).bytes.equals(bytes)).toBe(true);
    }));

  it('is not swept, except for bytes that a crash left without a row', () =>
    withPicture(backend, async (picture, services) => {
      await picture.get({ width: '100' });
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
      const { blobs } = services;
      const put = blobs.put.bind(blobs);
      const dead = new Error('dead');
      vi.spyOn(blobs, 'put').mockImplementationOnce(async (...blob) => {
        await put(...blob);
        throw dead;
      });
      await expect(picture.get({ width: '60' })).rejects.toBe(dead);
      expect(await countBlobs(services)).toBe(3);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 1, lost: 0 });
      expect((await picture.get({ width: '100' })).file.sizeBytes).toBeGreaterThan(0);
    }));
});

describeEachBackend('the cache of renditions', (backend) => {
  it('is bounded: a job deletes the least recently used ones', () => {
    // Each counts for 4 KiB more than its bytes: four of them are too many.
    const settings = { renditionCacheBytesMax: 16_000 };
    return withPicture(
      backend,
      async (picture, services) => {
        for (const width of ['10', '11', '12']) {
          services.advance(1000);
          await picture.get({ width });
        }
        services.advance(HOUR_MS);
        await picture.get({ width: '10' });
        expect(await blobsToDelete(services)).toEqual([]);
        await picture.get({ width: '13' });
        const kept = (await renditions(services)).map(
          ({ spec }) => /(\d+),\d+ - - - moving$/.exec(spec)![1],
        );
        expect(kept).toEqual(['10', '12', '13']);
        expect(await blobsToDelete(services)).toHaveLength(1);
        await deleteBlobs(services);
        expect(await countBlobs(services)).toBe(4);
        expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
      },
      settings,
    );
  });

  it('may have size 0: every request then renders anew, and no rendition is stored', () =>
    withPicture(
      backend,
      async (picture, services) => {
        const { bytes, file } = await picture.get({ width: '100' });
        expect((await sharp(bytes).metadata()).width).toBe(100);
        expect(await picture.get({ width: '100' })).toMatchObject({ file: { md5: file.md5 } });
        const part = await picture.get({ width: '100' }, services, { start: 2, end: 11 });
        expect(part.bytes.equals(bytes.subarray(2, 12))).toBe(true);
        expect(await renditions(services)).toEqual([]);
        expect(await countBlobs(services)).toBe(1);
      },
      { renditionCacheBytesMax: 0 },
    ));
});

describe('renditions that fail', () => {
  const backend = BACKENDS[0]!;

  it('return the image itself, without another attempt for a minute', () =>
    withPicture(backend, async (picture, services) => {
      // Replaced on disk, so that it is no longer an image.
      const read = vi
        .spyOn(services.blobs, 'withLocalFile')
        .mockImplementation((_key, work) => work(import.meta.filename));
      for (const _ of [1, 2]) {
        const { bytes, file } = await picture.get({ width: '100' });
        expect(bytes.equals(JPEG)).toBe(true);
        expect(file.mimeType).toBe('image/jpeg');
      }
      expect(read).toHaveBeenCalledOnce();
      expect(services.logged.map(({ level }) => level)).toEqual(['warn', 'warn']);
      read.mockRestore();
      services.advance(60_000);
      expect((await picture.get({ width: '100' })).bytes.length).toBeLessThan(JPEG.length);
    }));

  it('for an animation that would stand still return the animation itself', () =>
    withServices(backend, async (services) => {
      const bytes = await animatedPng();
      const picture = await storePicture(services, bytes);
      const read = vi.spyOn(services.blobs, 'withLocalFile');
      for (const _ of [1, 2]) {
        const sent = await picture.get({ width: '20' });
        expect(sent.bytes.equals(bytes)).toBe(true);
        expect(sent.file.mimeType).toBe('image/png');
      }
      expect(read).toHaveBeenCalledOnce();
      expect(services.logged).toEqual([]);
      expect((await picture.get({ width: '20', format: 'jpg' })).file.mimeType).toBe('image/jpeg');
    }));

  it('throw SERVER_BUSY while too many are being rendered', () =>
    withPicture(backend, async (picture, services) => {
      const { promise: go, resolve } = Promise.withResolvers<void>();
      const { blobs } = services;
      const read = blobs.withLocalFile.bind(blobs);
      const waiting = vi.spyOn(blobs, 'withLocalFile').mockImplementation(async (key, work) => {
        await go;
        return read(key, work);
      });
      // Four are under way, and sixty wait.
      const made = Array.from({ length: 64 }, (_, at) => picture.get({ width: `${at + 1}` }));
      await vi.waitUntil(() => waiting.mock.calls.length === 4);
      const refused = picture.get({ width: '65' });
      await expect(refused).rejects.toMatchObject({ code: 'SERVER_BUSY', retryAfterMs: 5000 });
      // A request for one of those waits with the others; a request for no rendition does not wait.
      const joined = picture.get({ width: '64' });
      expect((await picture.get({})).bytes.equals(JPEG)).toBe(true);
      resolve();
      expect((await joined).file.md5).toBe((await made.at(-1)!).file.md5);
      expect(await Promise.all(made)).toHaveLength(64);
      expect(await picture.get({ width: '65' })).toMatchObject({
        file: { mimeType: 'image/jpeg' },
      });
    }));
});

interface StoredPicture {
  mediaId: number;
  /** Returns the response of a GET of its URL. */
  get(query: Query, services?: TestServices, range?: ByteRange): ReturnType<typeof send>;
}

function withPicture(
  backend: Backend,
  work: (picture: StoredPicture, services: TestServices) => Promise<void>,
  settings: Partial<Settings> = {},
): Promise<void> {
  return withServices(
    backend,
    async (services) => work(await storePicture(services, JPEG), services),
    settings,
  );
}

async function storePicture(
  services: TestServices,
  bytes: Buffer,
  folderId?: number,
): Promise<StoredPicture> {
  const place = { filename: 'a.jpg', folderId };
  const source = { bytes: inPieces(bytes, 65_536) };
  const { id } = await uploadFile(services.as(user()), { ...place, ...source });
  return {
    mediaId: id,
    get: async (query, on = services, range = undefined) => {
      const { dir, url_name } = await services.db
        .selectFrom('file')
        .where('media_id', '=', id)
        .where('key', '=', '')
        .select(['dir', 'url_name'])
        .executeTakeFirstOrThrow();
      services.statements.pop();
      return send(on, `${dir}/${url_name}`, query, range);
    },
  };
}

async function send(services: TestServices, path: string, query: Query, range?: ByteRange) {
  const [dir = '', name = ''] = path.split('/');
  const { file, read } = (await openRendition(services.as(user()), dir, name, query))!;
  return { file, bytes: await sentBytes(await read(range)) };
}

async function replace(services: TestServices, mediaId: number, bytes: Buffer): Promise<void> {
  const ctx = services.as(user());
  const claim = { filename: 'a.png', declaredType: null };
  const staged = await stageFile(ctx, inPieces(bytes, 65_536), claim);
  await changeNode(ctx, mediaId, {}, { staged, policy: { type: null } });
}

function renditions({ db }: TestServices) {
  return db.selectFrom('rendition').selectAll().orderBy('id').execute();
}

async function countBlobs({ blobs }: TestServices): Promise<number> {
  return (await Array.fromAsync(blobs.list())).length;
}

async function blobsToDelete({ db }: TestServices): Promise<string[]> {
  const jobs = await db
    .selectFrom('job')
    .where('job_class', '=', 'delete-blob')
    .select('arguments')
    .execute();
  return jobs.flatMap((job) => JSON.parse(job.arguments).blob_keys);
}

/** Deletes the blobs as the jobs do. */
async function deleteBlobs(services: TestServices): Promise<void> {
  for (const key of await blobsToDelete(services)) await services.blobs.delete(key);
}
