import { expect, test, vi } from 'vitest';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { enqueueMissingRenditions } from '../../../src/domain/rendition/missing.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { TASKS } from '../../../src/job/task/index.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';
import { quadrants } from '../../support/image.ts';
import { withWorker } from '../../support/worker.ts';

const JPEG = await quadrants(400, 200).jpeg().toBuffer();

async function store(services: TestServices, bytes: Buffer, filename: string): Promise<number> {
  const source = { filename, bytes: inPieces(bytes, 65_536) };
  return (await uploadFile(services.as(user()), source)).id;
}

async function fileOf(services: TestServices, mediaId: number) {
  const [original] = (await filesByMediaIds(services.as(), [mediaId])).get(mediaId)!;
  return original!;
}

/** Stores images as an earlier version did: without sizes and placeholders. */
async function makeOldLibrary(services: TestServices): Promise<number[]> {
  const images = [
    await store(services, JPEG, 'a.jpg'),
    await store(services, JPEG, 'b.jpg'),
    await store(services, fixtureBytes('animation.gif'), 'c.gif'),
  ];
  for (const name of ['note.txt', 'document.pdf', 'picture.heic']) {
    await store(services, fixtureBytes(name), name);
  }
  for (const id of images.slice(1)) {
    await createThumbnail(services.as(), (await fileOf(services, id)).uuid);
  }
  const nothing = { thumbhash: null, has_alpha: null, is_animated: null, thumbnail_sizes: null };
  const { db } = services;
  await db.updateTable('file').set(nothing).execute();
  await db.updateTable('file').set({ color: null }).where('key', '=', '').execute();
  await db.deleteFrom('rendition').execute();
  await db.deleteFrom('job').execute();
  return images;
}

function jobs({ db }: TestServices) {
  return db.selectFrom('job').orderBy('id').selectAll().execute();
}

async function runJobs(services: TestServices): Promise<void> {
  await withWorker(services, TASKS, () =>
    vi.waitUntil(async () => (await jobs(services)).every(({ finished_at }) => finished_at), {
      timeout: 30_000,
    }),
  );
}

describeEachBackend('enqueueMissingRenditions', (backend) => {
  test('enqueues a job of low priority for each image that lacks something', () =>
    withServices(backend, async (services) => {
      const ctx = services.as();
      const images = await makeOldLibrary(services);
      const counts = { files: 6, missing: 3 };
      expect(await enqueueMissingRenditions(ctx, { isDryRun: true })).toEqual(counts);
      expect(await jobs(services)).toEqual([]);
      expect(await enqueueMissingRenditions(ctx)).toEqual(counts);
      // Interrupted, and started again.
      expect(await enqueueMissingRenditions(ctx)).toEqual(counts);
      const enqueued = await jobs(services);
      expect(enqueued.map(({ media_id }) => media_id)).toEqual(images);
      expect(new Set(enqueued.map((job) => `${job.job_class} ${job.priority}`))).toEqual(
        new Set(['make-rendition -1']),
      );
      await runJobs(services);
      for (const id of images) {
        const { thumbhash, color, hasAlpha, isAnimated } = await fileOf(services, id);
        expect([thumbhash, color, hasAlpha, isAnimated]).not.toContain(null);
      }
      // 160 and 320 of each JPEG.
      expect(await services.db.selectFrom('rendition').selectAll().execute()).toHaveLength(4);
      expect(await enqueueMissingRenditions(ctx)).toEqual({ files: 6, missing: 0 });
      expect(await jobs(services)).toHaveLength(3);
    }));

  test('finds each thing that an image can lack, and no media in the trash', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = services.as(user());
      const id = await store(services, JPEG, 'a.jpg');
      const { uuid } = await fileOf(services, id);
      const missing = async (sizes = services.settings.thumbnailSizes) => {
        const settings = { ...services.settings, thumbnailSizes: sizes };
        return (await enqueueMissingRenditions({ ...ctx, settings }, { isDryRun: true })).missing;
      };
      for (const column of ['thumbhash', 'color', 'has_alpha', 'is_animated', 'thumbnail_sizes']) {
        await createThumbnail(ctx, uuid);
        expect(await missing()).toBe(0);
        await db
          .updateTable('file')
          .set({ [column]: null })
          .where('key', '=', '')
          .execute();
        expect(await missing(), column).toBe(1);
      }
      await createThumbnail(ctx, uuid);
      await db.deleteFrom('file').where('key', '=', 'thumbnail.webp').execute();
      expect(await missing()).toBe(1);
      await createThumbnail(ctx, uuid);
      expect(await missing([160])).toBe(1);
      const original = db.updateTable('file').where('key', '=', '');
      await original.set({ thumbnail_sizes: 'v0 160,320,640,1280' }).execute();
      expect(await missing()).toBe(1);
      await createThumbnail(ctx, uuid);
      expect(await missing()).toBe(0);
      await deleteMedia(ctx, id);
      expect(await enqueueMissingRenditions(ctx)).toEqual({ files: 0, missing: 0 });
    }));

  test('reads pages of bounded size, whatever is missing', () =>
    withServices(backend, async (services) => {
      await store(services, JPEG, 'a.jpg');
      services.statements.length = 0;
      await enqueueMissingRenditions(services.as(), { isDryRun: true });
      expect(services.statements).toHaveLength(2);
      for (const statement of services.statements) expect(statement).toContain('limit');
    }));
});
