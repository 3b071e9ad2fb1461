import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import type { Settings } from '../../../src/domain/context.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { openRendition } from '../../../src/domain/rendition/rendition.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { restoreNodes } from '../../../src/domain/trash/restore.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { stageFile } from '../../../src/domain/upload/staging.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { type Backend, describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { animation, quadrants } from '../../support/image.ts';

const JPEG = await quadrants(1000, 500).jpeg().toBuffer();
const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

interface Picture {
  mediaId: number;
  uuid: string;
  url: [dir: string, name: string];
}

async function store(services: TestServices, bytes: Buffer, filename = 'a.jpg'): Promise<Picture> {
  const source = { filename, bytes: inPieces(bytes, 65_536) };
  const { id: mediaId } = await uploadFile(services.as(user()), source);
  const [file] = (await filesByMediaIds(services.as(), [mediaId])).get(mediaId)!;
  const [, , dir = '', name = ''] = file!.urlPath.split('/');
  return { mediaId, uuid: file!.uuid, url: [dir, name] };
}

/** Runs `work` with an image of these bytes whose job has run. */
function withPicture(
  backend: Backend,
  bytes: Buffer,
  work: (services: TestServices, picture: Picture) => Promise<void>,
  settings: Partial<Settings> = {},
): Promise<void> {
  return withServices(
    backend,
    async (services) => {
      const picture = await store(services, bytes);
      await createThumbnail(services.as(), picture.uuid);
      await work(services, picture);
    },
    settings,
  );
}

function renditions({ db }: TestServices) {
  return db.selectFrom('rendition').orderBy('id').selectAll().execute();
}

/** Returns the widths of the stored renditions, as their specs name them. */
async function widths(services: TestServices): Promise<number[]> {
  const rows = await renditions(services);
  return rows.map(({ spec }) => Number(/0,0,(\d+),\d+ - - -/.exec(spec)?.[1]));
}

async function originalOf({ db }: TestServices, { uuid }: Picture) {
  return db.selectFrom('file').where('uuid', '=', uuid).selectAll().executeTakeFirstOrThrow();
}

describeEachBackend('the sizes of an image', (backend) => {
  test('are found by the URLs that ask for them, and nothing is rendered then', () =>
    withPicture(backend, JPEG, async (services, { mediaId, url }) => {
      expect(await widths(services)).toEqual([160, 320, 640]);
      const read = vi.spyOn(services.blobs, 'withLocalFile');
      for (const width of [160, 320, 640]) {
        const query = { width: String(width), format: 'webp' };
        const { file, read } = (await openRendition(services.as(), ...url, query))!;
        expect(file.mimeType).toBe('image/webp');
        const bytes = Buffer.from((await read()) as Buffer);
        expect(await sharp(bytes).metadata()).toMatchObject({ width, height: width / 2 });
      }
      expect(read).not.toHaveBeenCalled();
      await openRendition(services.as(), ...url, { width: '660', format: 'webp' });
      expect(read).toHaveBeenCalledOnce();
      // Dialects that list files show what they did before.
      const files = (await filesByMediaIds(services.as(), [mediaId])).get(mediaId);
      expect(files?.map(({ key }) => key)).toEqual(['', 'thumbnail.webp']);
    }));

  test('are those of the configuration, and never larger than the image', () =>
    withPicture(
      backend,
      JPEG,
      async (services) => expect(await widths(services)).toEqual([48, 1000]),
      { thumbnailSizes: [48, 1000, 1001, 1280] },
    ));

  test('are left out where the image would be too high for a rendition', async () => {
    const tall = await quadrants(600, 6000).png().toBuffer();
    await withPicture(backend, tall, async (services) => {
      expect(await widths(services)).toEqual([160, 320]);
    });
  });

  test('are not made of an animation, which has to move in a rendition', async () => {
    const gif = await animation('gif', { frames: 3, width: 400, height: 300 });
    await withPicture(backend, gif, async (services, picture) => {
      expect(await renditions(services)).toEqual([]);
      expect(await originalOf(services, picture)).toMatchObject({ is_animated: 1 });
    });
  });

  // In the smaller cache there is no room for a single one, which takes 4 KiB more than its bytes.
  test.each([
    [16_000, [160, 320, 640, 12, 13, 14]],
    [2000, [160, 320, 640, 14]],
  ])('are not part of the cache, and evict nothing from it: %i bytes', (bytesMax, kept) =>
    withPicture(
      backend,
      JPEG,
      async (services, { url }) => {
        services.advance(1000);
        for (const width of ['10', '11', '12', '13', '14']) {
          await openRendition(services.as(user()), ...url, { width });
        }
        expect(await widths(services)).toEqual(kept);
      },
      { renditionCacheBytesMax: bytesMax },
    ),
  );

  test('that a request has made before are kept from then on', () =>
    withServices(backend, async (services) => {
      const picture = await store(services, JPEG);
      await openRendition(services.as(), ...picture.url, { width: '640', format: 'webp' });
      const [before] = await renditions(services);
      await createThumbnail(services.as(), picture.uuid);
      const [after, ...others] = await renditions(services);
      expect(after).toEqual({ ...before, used_at: others[0]!.used_at });
      expect(others).toHaveLength(2);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
    }));

  test('that are no longer configured become part of the cache', () =>
    withPicture(backend, JPEG, async (services, picture) => {
      const [, before] = (await filesByMediaIds(services.as(), [picture.mediaId])).get(
        picture.mediaId,
      )!;
      const settings = { ...services.settings, thumbnailSizes: [160, 500] };
      await createThumbnail({ ...services.as(), settings }, picture.uuid);
      const rows = await renditions(services);
      expect(await widths(services)).toEqual([160, 320, 640, 500]);
      const now = services.clock();
      expect(rows.map(({ used_at }) => used_at <= now)).toEqual([false, true, true, false]);
      const [, after] = (await filesByMediaIds(services.as(), [picture.mediaId])).get(
        picture.mediaId,
      )!;
      expect(after).toEqual(before);
    }));

  test('and the placeholder are made anew of the bytes that replace the image', () =>
    withPicture(backend, JPEG, async (services, picture) => {
      const before = await originalOf(services, picture);
      const old = await renditions(services);
      const ctx = services.as(user());
      const claim = { filename: 'b.png', declaredType: null };
      const blue = await sharp(JPEG).extract({ left: 0, top: 250, width: 400, height: 250 });
      const bytes = await blue.ensureAlpha(0.5).png().toBuffer();
      const staged = await stageFile(ctx, inPieces(bytes, 65_536), claim);
      await changeNode(ctx, picture.mediaId, {}, { staged, policy: { type: null } });
      const none = { color: null, thumbhash: null, has_alpha: null, is_animated: null };
      expect(await originalOf(services, picture)).toMatchObject({ ...none, thumbnail_sizes: null });
      expect(await renditions(services)).toEqual([]);
      await createThumbnail(ctx, picture.uuid);
      expect(await widths(services)).toEqual([160, 320]);
      const after = await originalOf(services, picture);
      expect(after).toMatchObject({ has_alpha: 1, is_animated: 0 });
      expect(after.color).toMatch(/^#0000f[0-9a-f]$/);
      expect(after.thumbhash).not.toBe(before.thumbhash);
      const jobs = await services.db
        .selectFrom('job')
        .where('job_class', '=', 'delete-blob')
        .select('arguments')
        .execute();
      const deleted = jobs.flatMap((job) => JSON.parse(job.arguments).blob_keys);
      expect(deleted).toEqual(expect.arrayContaining(old.map(({ blob_key }) => blob_key)));
    }));

  test('are made again after a stay in the trash, and the placeholder has stayed', () =>
    withPicture(backend, JPEG, async (services, picture) => {
      const before = await originalOf(services, picture);
      const ctx = services.as(user());
      await deleteMedia(ctx, picture.mediaId);
      await restoreNodes(ctx, { ids: [picture.mediaId] });
      expect(await originalOf(services, picture)).toEqual({ ...before, thumbnail_sizes: null });
      expect(await renditions(services)).toEqual([]);
      await createThumbnail(ctx, picture.uuid);
      expect(await widths(services)).toEqual([160, 320, 640]);
    }));

  test('are made after a crash in the middle, and its remains are swept', () =>
    withServices(backend, async (services) => {
      const picture = await store(services, JPEG);
      const { blobs } = services;
      const put = blobs.put.bind(blobs);
      const dead = new Error('dead');
      for (const written of [1, 3]) {
        const dying = vi.spyOn(blobs, 'put');
        for (let count = 0; count < written; count++) dying.mockImplementationOnce(put);
        dying.mockRejectedValueOnce(dead);
        await expect(createThumbnail(services.as(), picture.uuid)).rejects.toBe(dead);
        vi.restoreAllMocks();
        expect(await originalOf(services, picture)).toMatchObject({ thumbhash: null });
        expect(await renditions(services)).toEqual([]);
      }
      await createThumbnail(services.as(), picture.uuid);
      expect(await widths(services)).toEqual([160, 320, 640]);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 4, lost: 0 });
    }));

  test('and a placeholder are made of an image whose thumbnail a client has uploaded', () =>
    withPicture(backend, JPEG, async (services, picture) => {
      const rows = services.db.updateTable('file').where('key', '=', 'thumbnail.webp');
      await rows.set({ filename: 'mine.png', color: null }).execute();
      await services.db.deleteFrom('rendition').execute();
      const own = services.db.updateTable('file').where('key', '=', '');
      await own.set({ thumbnail_sizes: null, thumbhash: null }).execute();
      await createThumbnail(services.as(), picture.uuid);
      expect(await widths(services)).toEqual([160, 320, 640]);
      expect((await originalOf(services, picture)).thumbhash).not.toBeNull();
      const files = (await filesByMediaIds(services.as(), [picture.mediaId])).get(picture.mediaId);
      expect(files?.map(({ filename }) => filename)).toEqual(['a.jpg', 'mine.png']);
    }));
});
