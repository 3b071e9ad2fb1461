import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { HAS_BROWSER, withBrowser } from '../support/browser.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { type GalleryFile, makeGallery } from './gallery/content.ts';
import { runJobs, send, TRIVIUM_ADMIN_KEY, uploadAll } from './gallery/library.ts';
import { difference } from './gallery/likeness.ts';
import { readmePage, type ShownImage, shownImages, visit, withServedPage } from './gallery/page.ts';

/** Of a browser that has no AVIF, so that it asks for none to be made. */
const ACCEPT = 'image/webp,*/*';

/** CSS pixels, of the page in the README. */
const SHOWN_WIDTH = 320;

interface Gallery {
  server: ServerProcess;
  browser: Browser;
  files: GalleryFile[];
  /** Of the media items, in the order of the files. */
  ids: string[];
}

/** Runs `work` with a server that has the files of the gallery and has run their jobs, and with a browser. */
function withGallery(work: (gallery: Gallery) => Promise<void>): Promise<void> {
  return withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess({ TRIVIUM_DATA_DIR, TRIVIUM_ADMIN_KEY }, async (server) => {
      const files = await makeGallery();
      const ids = await uploadAll(server, files);
      expect(await runJobs(server)).toEqual([]);
      await withBrowser((browser) => work({ server, browser, files, ids }));
    }),
  );
}

/** Runs `work` with a page of a new profile, whose cache is empty. */
async function withProfile<T>(
  browser: Browser,
  options: BrowserContextOptions,
  work: (page: Page) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Runs `work`; returns the paths of the images that the server has been asked for meanwhile. */
async function askedDuring(server: ServerProcess, work: () => Promise<unknown>): Promise<string[]> {
  const before = await markLog(server);
  await work();
  const after = await markLog(server);
  const paths = server.log.slice(before, after).map(({ path }) => String(path));
  return paths.filter((path) => /^\/(i|media)\//.test(path));
}

/** Returns the number of log lines of all requests so far. The log is a pipe, whose lines arrive later, in their order. */
async function markLog(server: ServerProcess): Promise<number> {
  const mark = `/${randomUUID()}`;
  await fetch(server.url + mark);
  const find = () => server.log.findIndex(({ path }) => path === mark);
  await expect.poll(find).toBeGreaterThan(0);
  return find();
}

describe.skipIf(!HAS_BROWSER)('the page of the README in Chromium', () => {
  test('shows 50 media from one query, and asks for no image on the second visit', () =>
    withGallery(async ({ server, browser, files }) =>
      withServedPage(await readmePage(server.url), async (url) => {
        await withProfile(browser, {}, (page) => checkPlaceholders(page, url, files));
        for (const deviceScaleFactor of [1, 2]) {
          await withProfile(browser, { deviceScaleFactor }, (page) =>
            checkImages({ page, url, files, deviceScaleFactor }),
          );
        }
        // The requests have enqueued the jobs of AVIF.
        expect(await runJobs(server)).toEqual([]);
        await withProfile(browser, {}, (page) => checkVisits({ server, page, url, files }));
      }),
    ));

  test('asks for the one image again whose focal point has changed, at another URL', () =>
    withGallery(async ({ server, browser, ids }) => {
      // Squares, in a format that needs no job.
      const html = await readmePage(server.url);
      const cropped = html.replace('960], format: AUTO', '960], aspectRatio: 1, format: WEBP');
      expect(cropped).not.toBe(html);
      await withServedPage(cropped, (url) =>
        withProfile(browser, {}, async (page) => {
          const before = await visit(page, url, 50);
          const middle = await load(before[CHANGED]!.currentSrc);
          await send(server, MOVE_FOCUS, { id: ids[CHANGED] });
          let after: ShownImage[] = [];
          const asked = await askedDuring(server, async () => {
            after = await visit(page, url, 50);
          });
          const changed = after.filter(
            ({ currentSrc }, at) => currentSrc !== before[at]?.currentSrc,
          );
          expect(changed).toEqual([after[CHANGED]]);
          expect(asked).toEqual([loggedPathOf(changed[0]!.currentSrc)]);
          // The sun is at the left.
          const left = await load(changed[0]!.currentSrc);
          expect(await difference(middle.bytes, left.bytes)).toBeGreaterThan(5);
          expect(await askedDuring(server, () => visit(page, url, 50))).toEqual([]);
        }),
      );
    }));
});

/** The photo of 1600 × 500 pixels. */
const CHANGED = 10;

const MOVE_FOCUS = `mutation ($id: ID!) {
  updateMedia(input: { id: $id, focalPoint: { left: 0.2, top: 0.3 } }) { __typename ... on Error { message } }
}`;

/** Checks what the page shows before any image has arrived. */
async function checkPlaceholders(
  page: Page,
  url: string,
  files: readonly GalleryFile[],
): Promise<void> {
  await page.route('**/i/**', () => undefined);
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForFunction('document.images.length === 50');
  await keepScreenshot(page, 'placeholders');
  const images = await shownImages(page);
  for (const [at, { name, size }] of files.entries()) {
    const image = images[at]!;
    const { placeholder } = image;
    expect(image.shownWidth, name).toBe(SHOWN_WIDTH);
    expect(Math.abs(image.shownHeight - heightFor(image, SHOWN_WIDTH)), name).toBeLessThan(1);
    const [, base64 = ''] = placeholder?.split('data:image/png;base64,') ?? [];
    const { bytes } = await load(expectedCandidate(image, SHOWN_WIDTH).url);
    // The fixtures have hard edges, which no placeholder shows.
    const differenceMax = size ? 30 : 45;
    const placed = Buffer.from(base64, 'base64');
    expect(await difference(placed, bytes), name).toBeLessThan(differenceMax);
  }
}

interface Visit {
  page: Page;
  url: string;
  files: readonly GalleryFile[];
}

/** Checks the attributes of the images, and the images that the browser has chosen. */
async function checkImages({
  page,
  url,
  files,
  deviceScaleFactor,
}: Visit & { deviceScaleFactor: number }) {
  const types = collectTypes(page);
  const images = await visit(page, url, files.length);
  await keepScreenshot(page, `images-${deviceScaleFactor}x`);
  // Small images are the same at all ratios, and may be AVIF by now.
  if (deviceScaleFactor === 1) expect(new Set(types.values())).toEqual(new Set(['image/webp']));
  for (const [at, file] of files.entries()) {
    const image = images[at]!;
    expect(image.alt, file.name).toBe(file.altText ?? '');
    // The image may be transparent.
    expect(image.placeholder, file.name).toBe(null);
    if (file.size) expect(image, file.name).toMatchObject(file.size);
    const candidate = expectedCandidate(image, SHOWN_WIDTH * deviceScaleFactor);
    expect(image.currentSrc, file.name).toBe(candidate.url);
    const { bytes, width, height } = await load(candidate.url);
    expect(width, file.name).toBe(candidate.width);
    expect(Math.abs(height - heightFor(image, width)), file.name).toBeLessThanOrEqual(1);
    if (file.size) expect(await difference(bytes, file.bytes), file.name).toBeLessThan(6);
  }
}

/** Checks that the second visit needs no request. */
async function checkVisits({ server, page, url, files }: Visit & { server: ServerProcess }) {
  const types = collectTypes(page);
  const first = await askedDuring(server, () => visit(page, url, files.length));
  const images = await shownImages(page);
  const asked = images.map(({ currentSrc }) => loggedPathOf(currentSrc));
  expect(first.toSorted()).toEqual(asked.toSorted());
  const expected = files.map(({ isAnimated }) => (isAnimated ? 'image/webp' : 'image/avif'));
  expect(images.map(({ currentSrc }) => types.get(currentSrc))).toEqual(expected);
  const cached = await collectCached(page);
  expect(await askedDuring(server, () => visit(page, url, files.length))).toEqual([]);
  expect(new Set(cached)).toEqual(new Set(images.map(({ currentSrc }) => currentSrc)));
}

/** Collects the types of the images that arrive, by URL. */
function collectTypes(page: Page): Map<string, string | undefined> {
  const types = new Map<string, string | undefined>();
  page.on('response', (response) => {
    if (isRendition(response.url())) types.set(response.url(), response.headers()['content-type']);
  });
  return types;
}

/** Collects the URLs of the images that the browser takes from its cache. */
async function collectCached(page: Page): Promise<string[]> {
  const cached: string[] = [];
  const network = await page.context().newCDPSession(page);
  const urls = new Map<string, string>();
  network.on(
    'Network.requestWillBeSent',
    ({ requestId, request }) => void urls.set(requestId, request.url),
  );
  network.on('Network.requestServedFromCache', ({ requestId }) => {
    const url = urls.get(requestId);
    if (url !== undefined && isRendition(url)) cached.push(url);
  });
  await network.send('Network.enable');
  return cached;
}

/** Tells renditions from placeholders, whose URLs hold anything. */
function isRendition(url: string): boolean {
  return /^http:\/\/[^/]+\/i\//.test(url);
}

interface Loaded {
  bytes: Buffer;
  width: number;
  height: number;
}

/** Loads an image as WebP. */
async function load(url: string): Promise<Loaded> {
  const response = await fetch(url, { headers: { accept: ACCEPT } });
  expect(response.status, url).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  const { width, pageHeight, height } = await sharp(bytes).metadata();
  return { bytes, width, height: pageHeight ?? height };
}

function heightFor(image: { width: number; height: number }, width: number): number {
  return (width * image.height) / image.width;
}

/** Returns the candidate of the `srcset` that is large enough, or the largest one. */
function expectedCandidate({ srcset }: ShownImage, width: number) {
  const candidates = srcset.split(', ').map((text) => {
    const [url = '', size = ''] = text.split(' ');
    return { url, width: Number.parseInt(size, 10) };
  });
  return candidates.find((candidate) => candidate.width >= width) ?? candidates.at(-1)!;
}

/** Returns the path of a URL as the log has it: without its signature. */
function loggedPathOf(url: string): string {
  return new URL(url).pathname.replace(/\.[^/.]+(?=\/[^/]+$)/, '.***');
}

/** Keeps what the page shows, for people, if `SCREENSHOTS` names a directory. */
async function keepScreenshot(page: Page, name: string): Promise<void> {
  const directory = process.env.SCREENSHOTS;
  if (directory) await page.screenshot({ path: `${directory}/${name}.png`, fullPage: true });
}
