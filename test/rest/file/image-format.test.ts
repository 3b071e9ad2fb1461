import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { createAvif } from '../../../src/domain/rendition/avif.ts';
import { qualityOf } from '../../../src/domain/rendition/plan.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { quadrants, shadesOf } from '../../support/image.ts';
import { ACCEPT, renditionPath } from '../../support/image-url.ts';
import { makePhoto } from '../../support/photo.ts';
import { shareApp } from '../../support/shared-app.ts';
import { storeFile, storeFixture } from './stored-file.ts';

const JPEG = await quadrants(400, 200).jpeg({ quality: 90 }).toBuffer();
const IMMUTABLE = 'public, max-age=31536000, immutable';
const BRIEF = 'public, max-age=60';

async function get(app: TestApp, path: string, accept: string) {
  const response = await app.fetch(path, { headers: { accept } });
  const { headers, status } = response;
  const bytes = Buffer.from(await response.arrayBuffer());
  const type = headers.get('content-type');
  const cache = headers.get('cache-control');
  return { status, type, cache, bytes, etag: headers.get('etag'), vary: headers.get('vary') };
}

async function avifJobs({ services: { db } }: TestApp) {
  const jobs = await db
    .selectFrom('job')
    .where('job_class', '=', 'create-avif')
    .select(['id', 'arguments', 'status', 'media_id'])
    .execute();
  return jobs.map((job) => ({ ...job, arguments: JSON.parse(job.arguments) }));
}

/** Runs the waiting jobs as the worker does. */
async function runJobs(app: TestApp): Promise<void> {
  const ctx = { ...app.services, viewer: SYSTEM, log: app.app.log };
  for (const job of await avifJobs(app)) {
    if (job.status !== 'pending') continue;
    await createAvif(ctx, job.arguments);
    await app.services.db
      .updateTable('job')
      .set({ status: 'completed' })
      .where('id', '=', job.id)
      .execute();
  }
}

describeEachBackend('the format of a rendition', (backend) => {
  const shared = shareApp(backend);

  test('AUTO is the best one that the client names, at one URL', async () => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    const path = await renditionPath(app, mediaId, 'width: 100, format: AUTO');
    const early = await get(app, path, ACCEPT.chrome);
    expect(early).toMatchObject({ status: 200, type: 'image/webp', cache: BRIEF });
    expect(early.etag).toMatch(/^"[0-9a-f]{32}"$/);
    // One job, however many ask.
    await Promise.all([1, 2, 3].map(() => get(app, path, ACCEPT.safari)));
    const explicit = await renditionPath(app, mediaId, 'width: 100, format: AVIF');
    expect(await get(app, explicit, ACCEPT.curl)).toMatchObject({
      type: 'image/webp',
      cache: BRIEF,
      vary: 'Origin',
    });
    const jobs = (await avifJobs(app)).filter(({ media_id }) => media_id === mediaId);
    expect(jobs).toMatchObject([{ status: 'pending', arguments: { parameters: 'w100.avif' } }]);
    await runJobs(app);
    for (const [accept, type] of [
      [ACCEPT.chrome, 'image/avif'],
      [ACCEPT.safari, 'image/avif'],
      [ACCEPT.oldSafari, 'image/webp'],
      [ACCEPT.curl, 'image/jpeg'],
      ['image/*', 'image/jpeg'],
      ['image/avif;q=0.5, image/webp', 'image/webp'],
      ['image/avif;q=0, image/webp;q=0.9, image/jpeg;q=0.3', 'image/webp'],
      ['image/avif;q=0.2, image/webp;q=0.1, image/jpeg', 'image/jpeg'],
      ['IMAGE/AVIF', 'image/avif'],
      ['text/html', 'image/jpeg'],
    ] as const) {
      const { bytes, ...answer } = await get(app, path, accept);
      expect([accept, answer]).toMatchObject([
        accept,
        { status: 200, type, cache: IMMUTABLE, vary: 'Origin, Accept' },
      ]);
      const format = type === 'image/avif' ? 'heif' : type.slice('image/'.length);
      expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 100, height: 50 });
      expect(await shadesOf(bytes)).toBe('red lime blue yellow red');
    }
    expect(await get(app, explicit, ACCEPT.curl)).toMatchObject({
      type: 'image/avif',
      cache: IMMUTABLE,
    });
    const fresh = await get(app, path, ACCEPT.chrome);
    expect(fresh.etag).not.toBe(early.etag);
    const conditional = { accept: ACCEPT.chrome, 'if-none-match': fresh.etag! };
    const known = await app.fetch(path, { headers: conditional });
    expect([known.status, known.headers.get('vary')]).toEqual([304, 'Origin, Accept']);
  });

  test('AUTO keeps transparency and motion', async () => {
    const app = shared();
    const clear = await sharp({
      create: { width: 60, height: 40, channels: 4, background: '#0000' },
    })
      .png()
      .toBuffer();
    const { mediaId } = await storeFile(app, 'clear.png', clear);
    const path = await renditionPath(app, mediaId, 'width: 30, format: AUTO');
    for (const accept of [ACCEPT.oldSafari, ACCEPT.curl]) {
      expect(await sharp((await get(app, path, accept)).bytes).metadata()).toMatchObject({
        hasAlpha: true,
      });
    }
    const animation = await storeFixture(app, 'animation.gif');
    const moving = await renditionPath(app, animation.mediaId, 'width: 10, format: AUTO');
    await get(app, moving, ACCEPT.chrome);
    await runJobs(app);
    for (const [accept, type] of [
      [ACCEPT.chrome, 'image/webp'],
      [ACCEPT.curl, 'image/gif'],
    ] as const) {
      const answer = await get(app, moving, accept);
      expect(answer).toMatchObject({ type, cache: IMMUTABLE });
      expect((await sharp(answer.bytes).metadata()).pages).toBeGreaterThan(1);
    }
  });

  test('AUTO suits what a job finds out about the image, and is not kept for ever before', async () => {
    const app = shared();
    const ctx = { ...app.services, viewer: SYSTEM, log: app.app.log };
    for (const [name, bytes, type] of [
      ['opaque.webp', await quadrants(60, 40).removeAlpha().webp().toBuffer(), 'image/jpeg'],
      ['moving.webp', await animatedWebp(), 'image/gif'],
      ['opaque.png', await quadrants(60, 40).png().toBuffer(), 'image/png'],
    ] as const) {
      const { mediaId, uuid } = await storeFile(app, name, bytes);
      const path = await renditionPath(app, mediaId, 'width: 10, format: AUTO');
      const cache = name.endsWith('.png') ? IMMUTABLE : BRIEF;
      expect(await get(app, path, ACCEPT.curl)).toMatchObject({ type: 'image/png', cache });
      await createThumbnail(ctx, uuid);
      expect([name, await get(app, path, ACCEPT.curl)]).toMatchObject([
        name,
        { type, cache: IMMUTABLE },
      ]);
    }
  });

  test('AVIF is not made of an image that has changed since', async () => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    await get(app, await renditionPath(app, mediaId, 'width: 60, format: AVIF'), '*/*');
    const [job] = (await avifJobs(app)).filter(({ media_id }) => media_id === mediaId);
    await app.services.db
      .updateTable('media')
      .set({ focal_point: JSON.stringify({ left: 0, top: 0 }) })
      .where('id', '=', mediaId)
      .execute();
    const rendered = vi.spyOn(app.services.renderer, 'renderImage');
    const ctx = { ...app.services, viewer: SYSTEM, log: app.app.log };
    await createAvif(ctx, job!.arguments);
    expect(rendered).not.toHaveBeenCalled();
    rendered.mockRestore();
  });

  test('of a format that the server does not write is WebP, and of a file that it cannot draw the file', async () => {
    const app = shared();
    const avif = await storeFixture(app, 'picture.avif');
    const path = await renditionPath(app, avif.mediaId, 'width: 10');
    expect((await get(app, path, '*/*')).type).toBe('image/webp');
    const animated = await storeFile(app, 'moving.webp', await animatedWebp());
    const still = await renditionPath(app, animated.mediaId, 'width: 10, format: JPEG');
    expect((await get(app, still, '*/*')).type).toBe('image/jpeg');
    const drawing = await storeFixture(app, 'drawing.svg');
    expect(await renditionPath(app, drawing.mediaId, 'width: 10')).toBe(drawing.urlPath);
  });
});

function animatedWebp(): Promise<Buffer> {
  return sharp(fixtureBytes('animation.gif'), { animated: true }).webp().toBuffer();
}

test('AVIF is made by the worker, in a process of its own', () =>
  withApp(
    BACKENDS[0]!,
    async (app) => {
      const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
      const path = await renditionPath(app, mediaId, 'width: 80, format: AUTO');
      await get(app, path, ACCEPT.chrome);
      const isDone = async () => (await get(app, path, ACCEPT.chrome)).type === 'image/avif';
      await vi.waitUntil(isDone, { timeout: 30_000, interval: 50 });
      const [job, ...others] = await avifJobs(app);
      expect([job!.arguments.parameters, others]).toEqual(['w80.avif', []]);
    },
    { TRIVIUM_JOB_CONCURRENCY: '1' },
  ));

test('a job that has failed is not enqueued again, and WebP goes on being served', () =>
  withApp(BACKENDS[0]!, async (app) => {
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    const path = await renditionPath(app, mediaId, 'width: 80, format: AVIF');
    await get(app, path, '*/*');
    await app.services.db
      .updateTable('job')
      .set({ status: 'errored' })
      .where('job_class', '=', 'create-avif')
      .execute();
    expect(await get(app, path, '*/*')).toMatchObject({ status: 200, type: 'image/webp' });
    expect(await avifJobs(app)).toHaveLength(1);
  }));

test('without a cache of renditions there are no jobs', () =>
  withApp(
    BACKENDS[0]!,
    async (app) => {
      const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
      const path = await renditionPath(app, mediaId, 'width: 80, format: AUTO');
      expect(await get(app, path, ACCEPT.chrome)).toMatchObject({ type: 'image/webp' });
      expect(await avifJobs(app)).toEqual([]);
    },
    { TRIVIUM_RENDITION_CACHE_BYTES_MAX: '0' },
  ));

test('an AVIF that is larger than the cache stays WebP, and is not made again', () =>
  withApp(
    BACKENDS[0]!,
    async (app) => {
      const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
      const path = await renditionPath(app, mediaId, 'width: 80, format: AUTO');
      await get(app, path, ACCEPT.chrome);
      const { renderer } = app.services;
      const render = renderer.renderImage.bind(renderer);
      vi.spyOn(renderer, 'renderImage').mockImplementation(async (file, plan, limits) => {
        const image = await render(file, plan, limits);
        return plan.format === 'avif' ? { ...image, bytes: Buffer.alloc(20_000) } : image;
      });
      await runJobs(app);
      for (const _ of [1, 2]) {
        const kept = await get(app, path, ACCEPT.chrome);
        expect(kept).toMatchObject({ type: 'image/webp', cache: IMMUTABLE });
      }
      expect(await avifJobs(app)).toHaveLength(1);
    },
    { TRIVIUM_RENDITION_CACHE_BYTES_MAX: '10000' },
  ));

test('an AVIF is smaller than a WebP of the same quality', async () => {
  const { bytes: photo } = await makePhoto({ sizeBytesMin: 200_000 });
  const size = async (format: 'avif' | 'webp', quality: number) => {
    const image = sharp(photo).resize(500);
    const options = { quality: qualityOf(format, quality)! };
    return (await (format === 'avif' ? image.avif(options) : image.webp(options)).toBuffer())
      .length;
  };
  for (const quality of [50, 75, 90]) {
    expect(await size('avif', quality)).toBeLessThan(await size('webp', quality));
  }
});
