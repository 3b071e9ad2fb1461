import { expect, test } from 'vitest';
import { updateMedia } from '../../../src/domain/tree/media-change.ts';
import { type TestApp, user, withApp } from '../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';
import { quadrants, shadesOf } from '../../support/image.ts';
import { storeFile } from './stored-file.ts';

const [backend] = BACKENDS;

// Red and lime above, blue and yellow below.
const JPEG = await quadrants(400, 200).jpeg({ quality: 90 }).toBuffer();
const LEFT = 'red red blue blue red';
const RIGHT = 'lime lime yellow yellow lime';
const SQUARE = 'width=100&height=100&mode=crop';

type Point = { left: number; top: number } | null;

describeEachBackend('the focal point', (backend) => {
  test('is what mode=crop cuts around, and a changed one never shows a stale rendition', () =>
    withImage(backend, async (get, setFocalPoint) => {
      const center = await get(SQUARE);
      await setFocalPoint({ left: 0.1, top: 0.9 });
      const left = await get(SQUARE, { 'if-none-match': center.etag });
      expect([left.status, left.shades]).toEqual([200, LEFT]);
      await setFocalPoint({ left: 0.9, top: 0.9 });
      const right = await get(SQUARE, { 'if-none-match': left.etag });
      expect([right.status, right.shades]).toEqual([200, RIGHT]);
      expect((await get(SQUARE, { 'if-none-match': right.etag })).status).toBe(304);
      await setFocalPoint(null);
      expect((await get(SQUARE, { 'if-none-match': center.etag })).status).toBe(304);
      expect(new Set([center.etag, left.etag, right.etag]).size).toBe(3);
    }));
});

test('the focal point does not count beside a center or an anchor in the URL', () =>
  withImage(backend!, async (get, setFocalPoint) => {
    await setFocalPoint({ left: 0.1, top: 0.5 });
    expect((await get(`${SQUARE}&center=0.5,0.9`)).shades).toBe(RIGHT);
    expect((await get(`${SQUARE}&anchor=right`)).shades).toBe(RIGHT);
    const middle = await get(`${SQUARE}&anchor=center`);
    expect(middle.shades).toBe('red lime blue yellow red');
    // An anchor that does not exist counts as none.
    expect((await get(`${SQUARE}&anchor=nowhere`)).shades).toBe(LEFT);
  }));

test('the focal point changes nothing that is not cut', () =>
  withImage(backend!, async (get, setFocalPoint) => {
    const uncut = ['width=100', 'width=100&mode=crop', 'width=100&height=100&mode=pad', ''];
    const etags = async () => Promise.all(uncut.map(async (query) => (await get(query)).etag));
    const before = await etags();
    await setFocalPoint({ left: 0, top: 0 });
    expect(await etags()).toEqual(before);
  }));

type Get = (
  query: string,
  headers?: Record<string, string>,
) => Promise<{ status: number; etag: string; shades: string }>;

function withImage(
  on: (typeof BACKENDS)[number],
  work: (get: Get, setFocalPoint: (point: Point) => Promise<void>) => Promise<void>,
): Promise<void> {
  return withApp(
    on,
    async (app) => {
      const file = await storeFile(app, 'a.jpg', JPEG);
      const setFocalPoint = async (focalPoint: Point) => {
        const ctx = { ...app.services, viewer: user(), log: app.app.log };
        await updateMedia(ctx, file.mediaId, { focalPoint });
      };
      await work((query, headers) => get(app, `${file.urlPath}?${query}`, headers), setFocalPoint);
    },
    { TRIVIUM_JOB_CONCURRENCY: '0' },
  );
}

async function get(app: TestApp, url: string, headers: Record<string, string> = {}) {
  const response = await app.fetch(url, { headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  const shades = bytes.length === 0 ? '' : await shadesOf(bytes);
  return { status: response.status, etag: response.headers.get('etag') ?? '', shades };
}
