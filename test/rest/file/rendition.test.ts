import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import type { File } from '../../../src/domain/file/file.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { user, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { quadrants, shadesOf } from '../../support/image.ts';
import { makePhoto } from '../../support/photo.ts';
import { requestRaw, storeFile, storeFixture } from './stored-file.ts';

// The rules are tested on each backend, in test/domain; these tests need only one backend.
const [backend] = BACKENDS;

const JPEG = await quadrants(400, 200).jpeg({ quality: 90 }).toBuffer();

test('an image is sent as its URL asks, with all its headers', () =>
  withApp(
    backend!,
    async (app) => {
      const file = await storeFile(app, 'Grüße.jpg', JPEG);
      const url = `${file.urlPath}?width=100&height=100&mode=crop&anchor=left&format=webp&quality=90`;
      const response = await app.fetch(url);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'image/webp',
        'content-length': String(bytes.length),
        'accept-ranges': 'bytes',
        'cache-control': 'public, no-cache',
        'content-disposition': `inline; filename="Gru_e.webp"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.webp`,
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
      });
      // Only the URL of the request decides on the bytes.
      expect(response.headers.get('vary')).toBe('Origin');
      expect(await shadesOf(bytes)).toBe('red red blue blue red');
      const saved = await app.fetch(`${url}&download=1`);
      expect(saved.headers.get('content-disposition')).toMatch(/^attachment; .*Gru_e\.webp/);

      const etag = response.headers.get('etag')!;
      expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
      const etags = ['', '?width=100', '?width=100&format=webp'].map(async (query) => {
        const { headers } = await app.fetch(file.urlPath + query, { method: 'HEAD' });
        return headers.get('etag');
      });
      expect(new Set([etag, ...(await Promise.all(etags))]).size).toBe(4);

      const known = await app.fetch(url, { headers: { 'if-none-match': etag } });
      expect([known.status, await known.text()]).toEqual([304, '']);
      const other = await app.fetch(url, { headers: { 'if-none-match': `"${file.md5}"` } });
      expect(other.status).toBe(200);
      await other.arrayBuffer();
      const range = await app.fetch(url, { headers: { range: 'bytes=10-19', 'if-range': etag } });
      expect(range.status).toBe(206);
      expect(range.headers.get('content-range')).toBe(`bytes 10-19/${bytes.length}`);
      expect(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
      const past = await app.fetch(url, { headers: { range: 'bytes=9999999-' } });
      expect([past.status, await past.json()]).toMatchObject([416, { error: {} }]);
      const head = await requestRaw(app, 'HEAD', url);
      expect(head).toMatchObject({ status: 200, body: '' });
      expect(head.headers['content-length']).toBe(String(bytes.length));

      await check(app, file.urlPath);
      await checkOthers(app);
      await checkStampede(app);
      await checkThumbnail(app, file);
    },
    WITHOUT_WORKER,
  ));

// Its renderings must not be counted.
const WITHOUT_WORKER = { TRIVIUM_JOB_CONCURRENCY: '0' };

/** The job's thumbnail appears in the dialects that have a place for it. */
async function checkThumbnail(app: App, { mediaId, uuid, urlPath }: File): Promise<void> {
  const query = `{ media(by: { databaseId: ${mediaId} }) { thumbnail { key url width height } files { key } } }`;
  const ask = async () => {
    const body = JSON.stringify({ query });
    const headers = { 'content-type': 'application/json' };
    const answer = await app.fetch('/graphql', { method: 'POST', body, headers, asAdmin: true });
    return ((await answer.json()) as { data: { media: object } }).data.media;
  };
  const show = async () => {
    const answer = await app.fetch(`/api/v2/media/${mediaId}/`, { asAdmin: true });
    return (await answer.json()) as { image: string; image_thumbnail: object | null };
  };
  expect(await ask()).toEqual({ thumbnail: null, files: [{ key: '' }] });
  expect((await show()).image_thumbnail).toBeNull();
  await createThumbnail({ ...app.services, viewer: user(), log: app.app.log }, uuid);
  const url = `${app.url}${urlPath.replace(/[^/]+$/, 'thumbnail.webp')}`;
  const size = { width: 320, height: 160 };
  expect(await ask()).toEqual({
    thumbnail: { key: 'thumbnail.webp', url, ...size },
    files: [{ key: '' }, { key: 'thumbnail.webp' }],
  });
  const color = expect.stringMatching(/^#[0-9a-f]{6}$/);
  expect(await show()).toMatchObject({
    image: app.url + urlPath,
    image_thumbnail: { url, ...size, color },
  });
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toBe('image/webp');
  expect(response.headers.get('content-disposition')).toBe('inline; filename="thumbnail.webp"');
  expect(await shadesOf(Buffer.from(await response.arrayBuffer()))).toBe(
    'red lime blue yellow red',
  );
}

type App = Parameters<typeof storeFile>[0];

/** Checks that a query without meaning, in every place, returns the file itself, byte for byte. */
async function check(app: App, path: string): Promise<void> {
  const queries = [
    ...['rnd=1', 'width=abc', 'width=-1&height=0', 'width=99999999', 'format=exe', 'quality=x'],
    ...[
      'crop=1,2',
      'crop=9,9,9',
      'bgcolor=%00',
      'mode=crop',
      'width[]=3&height[a]=4',
      'width',
      '&&=&',
    ],
    ...['__proto__=1&constructor=2', 'width=%E2%82', `width=${'9'.repeat(500)}`, 'format=jpg'],
  ];
  for (const query of queries) {
    const response = await app.fetch(`${path}?${query}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([query, response.status, bytes.equals(JPEG)]).toEqual([query, 200, true]);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
  }
}

/** Checks that files that are not images, or cannot be decoded, are sent unchanged; AVIF is not written. */
async function checkOthers(app: App): Promise<void> {
  const query = '?width=10&height=10&mode=crop&format=png';
  for (const name of ['document.pdf', 'drawing.svg', 'clip.mp4', 'note.txt', 'picture.heic']) {
    const file = await storeFixture(app, name);
    const response = await app.fetch(file.urlPath + query);
    expect(response.headers.get('etag')).toBe(`"${file.md5}"`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.equals(fixtureBytes(name))).toBe(true);
  }
  const { urlPath } = await storeFixture(app, 'picture.avif');
  for (const [query, type, width] of [
    ['?width=10&format=avif', 'image/webp', 10],
    ['?width=10', 'image/webp', 10],
    ['?width=10&format=png', 'image/png', 10],
    ['?format=avif', 'image/avif', 20],
  ]) {
    const response = await app.fetch(urlPath + query);
    expect(response.headers.get('content-type')).toBe(type);
    const read = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect(read.width).toBe(width);
  }
  const gone = await app.fetch('/media/aaaaaaaa/nothing.png?width=10');
  expect([gone.status, await gone.json()]).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
}

/**
 * Checks that 100 requests for one rendition render it once, and that too many different ones are refused for a while.
 */
async function checkStampede(app: App): Promise<void> {
  const { blobs } = app.services;
  const { bytes } = await makePhoto({ sizeBytesMin: 1_000_000 });
  const { urlPath } = await storeFile(app, 'photo.jpg', bytes);
  const rendered = vi.spyOn(blobs, 'withLocalFile');
  const written = vi.spyOn(blobs, 'put');
  const get = async (query: string) => {
    // With a credential: sizes are exact then.
    const response = await app.fetch(urlPath + query, { asAdmin: true });
    return { response, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const all = await Promise.all(Array.from({ length: 100 }, () => get('?width=200')));
  expect(new Set(all.map(({ response }) => response.status))).toEqual(new Set([200]));
  expect(all.every((one) => one.bytes.equals(all[0]!.bytes))).toBe(true);
  expect([rendered.mock.calls.length, written.mock.calls.length]).toEqual([1, 1]);

  rendered.mockRestore();
  const { promise: go, resolve } = Promise.withResolvers<void>();
  const read = blobs.withLocalFile.bind(blobs);
  const waiting = vi.spyOn(blobs, 'withLocalFile').mockImplementation(async (key, work) => {
    await go;
    return read(key, work);
  });
  const different = Array.from({ length: 65 }, (_, at) => get(`?width=${at + 1}`));
  // Four are under way, and sixty wait: only the last one is answered.
  const refused = await Promise.race(different);
  expect(waiting.mock.calls.length).toBe(4);
  expect(refused.response.status).toBe(503);
  expect(refused.response.headers.get('retry-after')).toBe('5');
  expect(JSON.parse(refused.bytes.toString())).toMatchObject({ error: { code: 'SERVER_BUSY' } });
  resolve();
  const statuses = (await Promise.all(different)).map(({ response }) => response.status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(64);
  expect((await get('?width=90')).response.status).toBe(200);
}
