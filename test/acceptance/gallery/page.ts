import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { withSite } from '../../support/site.ts';

/** An image of the page, as the browser has it. */
export interface ShownImage {
  alt: string;
  /** Attributes: the size of the whole image, in pixels. */
  width: number;
  height: number;
  srcset: string;
  /** The URL that the browser has chosen. */
  currentSrc: string;
  /** In CSS pixels. */
  shownWidth: number;
  shownHeight: number;
  /** Data URL of the placeholder; null: none. */
  placeholder: string | null;
}

/** Returns the page in the section "Images" of the README, for a server at another address. */
export async function readmePage(serverUrl: string): Promise<string> {
  const readme = await readFile('README.md', 'utf8');
  const [, html] = /^```html\n(.*?)^```$/ms.exec(readme) ?? [];
  if (html === undefined) throw new Error('The README has no page.');
  return html.replaceAll('http://127.0.0.1:4000', serverUrl);
}

/** Serves a page, as a bundler does: with the package that it imports. */
export async function withServedPage<T>(
  html: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const thumbhash = await readFile(createRequire(import.meta.url).resolve('thumbhash'));
  const bundled = html.replace(`from 'thumbhash'`, `from '/thumbhash.js'`);
  return withSite(
    ({ url }, response) => {
      const isModule = url === '/thumbhash.js';
      response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html');
      response.end(isModule ? thumbhash : bundled);
    },
    ({ url }) => work(url),
  );
}

/** Goes to the page, and waits until it has so many images and all of them have loaded. */
export async function visit(page: Page, url: string, count: number): Promise<ShownImage[]> {
  await page.goto(url);
  await page.waitForFunction(`document.images.length === ${count} && ${ARE_LOADED}`);
  return shownImages(page);
}

/** Returns the images in their order. */
export function shownImages(page: Page): Promise<ShownImage[]> {
  return page.evaluate<ShownImage[]>(`Array.from(document.images, ${DESCRIBE})`);
}

// Text, because the types of a page are not those of Node.
const ARE_LOADED =
  'Array.from(document.images).every((image) => image.complete && image.naturalWidth > 0)';
const DESCRIBE = `(image) => ({
  alt: image.getAttribute('alt'),
  width: Number(image.getAttribute('width')),
  height: Number(image.getAttribute('height')),
  srcset: image.srcset,
  currentSrc: image.currentSrc,
  shownWidth: image.getBoundingClientRect().width,
  shownHeight: image.getBoundingClientRect().height,
  placeholder: /url\\("(.*)"\\)/.exec(image.style.backgroundImage)?.[1] ?? null,
})`;
