import type { ServerResponse } from 'node:http';
import type { Page, Response } from 'playwright-core';
import { describe, expect, it, test } from 'vitest';
import { withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { HAS_BROWSER, withPage } from '../../support/browser.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { withSite } from '../../support/site.ts';
import { storeFile, storeFixture } from './stored-file.ts';

const TYPES: Readonly<Record<string, string>> = {
  'clip.mp4': 'video/mp4',
  'clip.webm': 'video/webm',
  'phone.mov': 'video/quicktime',
  'sound.mp3': 'audio/mpeg',
  'sound.ogg': 'audio/ogg',
  'sound.weba': 'audio/webm',
};

describe('a video or a sound', () => {
  test.each(Object.entries(TYPES))(
    '%s is %s, shown in the page, and sent in ranges',
    (name, type) =>
      withApp(BACKENDS[0]!, async (app) => {
        const { urlPath } = await storeFixture(app, name);
        const whole = await app.fetch(urlPath);
        const bytes = Buffer.from(await whole.arrayBuffer());
        expect(bytes.equals(fixtureBytes(name))).toBe(true);
        expect(Object.fromEntries(whole.headers)).toMatchObject({
          'content-type': type,
          'content-disposition': `inline; filename="${name}"`,
          'accept-ranges': 'bytes',
          'cross-origin-resource-policy': 'cross-origin',
        });
        expect(whole.headers.get('content-security-policy')).toBeNull();
        // As players ask: whether ranges are served, then the end, then the rest.
        const total = bytes.length;
        for (const [range, start, end] of [
          ['bytes=0-', 0, total - 1],
          ['bytes=-100', total - 100, total - 1],
          [`bytes=300-${total + 99}`, 300, total - 1],
          ['bytes=0-1', 0, 1],
        ] as const) {
          const part = await app.fetch(urlPath, { headers: { range } });
          expect([part.status, part.headers.get('content-range')]).toEqual([
            206,
            `bytes ${start}-${end}/${total}`,
          ]);
          const sent = Buffer.from(await part.arrayBuffer());
          expect(sent.equals(bytes.subarray(start, end + 1))).toBe(true);
        }
      }),
  );
});

describe.skipIf(!HAS_BROWSER)('a browser', () => {
  it.each(['never', 'public'])('plays a video and seeks in it (location: %s)', (stripLocation) =>
    withApp(
      BACKENDS[0]!,
      async (app) => {
        const { urlPath } = await storeFile(app, 'long.mp4', withGap());
        // A page of another site, on this machine: browsers keep others from its addresses.
        const page = (_request: unknown, response: ServerResponse) =>
          void response.setHeader('content-type', 'text/html').end(htmlOf(app.url + urlPath));
        await withSite(page, ({ url }) =>
          withPage(url, async (page) => {
            const parts = rangesOf(page, urlPath);
            const state = await play(page);
            expect(state).toEqual({ error: null, width: 160, duration: 4, played: true, at: 3 });
            // The index of the video is behind the gap: without ranges, nothing would play before its end.
            expect(parts.length).toBeGreaterThan(1);
            expect(new Set(parts.map(({ status }) => status))).toEqual(new Set([206]));
          }),
        );
      },
      { TRIVIUM_STRIP_LOCATION: stripLocation },
    ),
  );
});

const GAP_BYTES = 24 * 1024 * 1024;

/** Returns a video whose index follows its frames at a distance. A free box holds any bytes. */
function withGap(): Buffer {
  const bytes = fixtureBytes('clip-to-seek.mp4');
  const index = bytes.indexOf('moov') - 4;
  const gap = Buffer.alloc(GAP_BYTES);
  gap.writeUInt32BE(GAP_BYTES);
  gap.write('free', 4);
  return Buffer.concat([bytes.subarray(0, index), gap, bytes.subarray(index)]);
}

function rangesOf(page: Page, path: string): { status: number }[] {
  const parts: { status: number }[] = [];
  page.on('response', (response: Response) => {
    if (response.url().endsWith(path)) parts.push({ status: response.status() });
  });
  return parts;
}

/** The video is loaded when the test has begun to listen. */
function htmlOf(url: string): string {
  return `<!doctype html><video muted preload="none" src="${url}"></video>`;
}

/** Plays a video, seeks to its third second, and returns what the player says. */
function play(page: Page) {
  return page.evaluate(async () => {
    const video = document.querySelector('video') as HTMLVideoElement;
    const event = (name: string) =>
      new Promise((resolve) => {
        video.addEventListener(name, resolve, { once: true });
        video.addEventListener('error', resolve, { once: true });
      });
    await video.play().catch(() => undefined);
    while (video.currentTime === 0 && video.error === null) await event('timeupdate');
    const played = video.currentTime > 0;
    video.pause();
    const seeked = event('seeked');
    video.currentTime = 3;
    await seeked;
    return {
      error: video.error?.message ?? null,
      width: video.videoWidth,
      duration: Math.round(video.duration),
      played,
      at: video.currentTime,
    };
  });
}
