import sharp from 'sharp';
import { describe, expect, it, test } from 'vitest';
import {
  astroService,
  getImage,
  IMAGE_WIDTHS,
  type ImageFit,
  type ImageOptions,
  imageUrl,
  nextLoader,
  unpicProvider,
} from '../../src/client/image.ts';
import { LADDER } from '../../src/domain/rendition/ladder.ts';
import { storeFile } from '../rest/file/stored-file.ts';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';

const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;

const PHOTO = await sharp({
  create: { width: 1600, height: 900, channels: 3, background: '#468', noise },
})
  .jpeg()
  .toBuffer();

/** Stores a photo, and returns a function that fetches a URL and describes the image. */
async function withPhoto(work: (url: string, sizeOf: SizeOf) => Promise<void>): Promise<void> {
  await withApp(BACKENDS[0]!, async (app) => {
    const { urlPath } = await storeFile(app, 'photo.jpg', PHOTO);
    await work(app.url + urlPath, async (url) => {
      const response = await fetch(url);
      expect(response.status).toBe(200);
      const bytes = Buffer.from(await response.arrayBuffer());
      const { format, width, height } = await sharp(bytes).metadata();
      expect(response.headers.get('content-type')).toBe(`image/${format}`);
      return `${format} ${width}x${height}`;
    });
  });
}

type SizeOf = (url: string) => Promise<string>;

describe('the URLs of an image', () => {
  test.each([
    ['cover', '300x300'],
    ['contain', '300x169'],
    ['inside', '300x169'],
    ['outside', '533x300'],
    ['fill', '300x300'],
  ] satisfies [ImageFit, string][])('fit it as `%s` says', (fit, size) =>
    withPhoto(async (url, sizeOf) => {
      const square = { width: 300, height: 300, fit };
      expect(await sizeOf(imageUrl(url, square))).toBe(`webp ${size}`);
    }),
  );

  it('have its format and never enlarge it', () =>
    withPhoto(async (url, sizeOf) => {
      expect(await sizeOf(imageUrl(url, { width: 100, format: 'png' }))).toBe('png 100x56');
      expect(await sizeOf(imageUrl(url, { width: 100, format: 'original' }))).toBe('jpeg 100x56');
      expect(await sizeOf(imageUrl(url, { width: 3840 }))).toBe('webp 1600x900');
      expect(await sizeOf(imageUrl(url, {}))).toBe('webp 1600x900');
    }));

  test.each([
    // Larger than the image, which is 1600 × 900.
    [{ width: 2000, height: 2000, fit: 'cover' }, '900x900'],
    [{ width: 3000, height: 300, fit: 'fill' }, '3000x300'],
    [{ width: 3200, height: 3600, fit: 'fill' }, '1600x1800'],
    [{ width: 3200, height: 2000, fit: 'outside' }, '1600x900'],
    [{ width: 3000, height: 3000 }, '1600x900'],
    // Not on the ladder.
    [{ width: 828, height: 466, fit: 'cover' }, '828x466'],
    [{ width: 333, height: 222, fit: 'cover' }, '340x227'],
  ] satisfies [ImageOptions, string][])('keep the aspect ratio: %o', (options, size) =>
    withPhoto(async (url, sizeOf) => {
      expect(await sizeOf(imageUrl(url, options))).toBe(`webp ${size}`);
    }),
  );

  it('are one for one rendition: the widths are those of the server', () => {
    expect(IMAGE_WIDTHS).toEqual(LADDER);
    const src = '/media/oiodd2qz/a.jpg';
    const urls = [901, 925, 950].map((width) => imageUrl(src, { width }));
    expect([...new Set(urls)]).toEqual([`${src}?width=950&upscale=never&format=webp`]);
    // What was asked before is replaced.
    expect(imageUrl(String(urls[0]), { width: 100 })).toBe(imageUrl(src, { width: 100 }));
  });

  test.each([
    'https://example.org/photo.jpg',
    '/i/oiodd2qz/abc/w640/photo.jpg',
    '/media/oiodd2qz/a.jpg?expires=1&signature=abc',
    'data:image/png;base64,AAAA',
    '',
  ])('are left alone if they are none of this server, or signed: %j', (url) => {
    expect(imageUrl(url, { width: 100 })).toBe(url);
    expect(unpicProvider.transform(url, { width: 100 })).toBe(url);
  });
});

describe('the frameworks', () => {
  test('Next.js: its loader, with the widths of its defaults', () =>
    withPhoto(async (src, sizeOf) => {
      for (const width of [16, 32, 48, 64, 96, 128, 256, 384, 640, 750, 828, 1080, 1200]) {
        expect(IMAGE_WIDTHS).toContain(width);
        expect(await sizeOf(nextLoader({ src, width }))).toMatch(new RegExp(`^webp ${width}x`));
      }
      const sizes = [10, 95].map(async (quality) => {
        const response = await fetch(nextLoader({ src, width: 640, quality }));
        return (await response.arrayBuffer()).byteLength;
      });
      const [low = 0, high = 0] = await Promise.all(sizes);
      expect(low).toBeLessThan(high);
    }));

  test('Nuxt Image: its provider, for relative and absolute URLs', () =>
    withPhoto(async (src, sizeOf) => {
      const { origin, pathname } = new URL(src);
      const modifiers = { width: '320', height: 320, fit: 'cover', format: 'jpeg', quality: '60' };
      for (const [given, baseURL] of [
        [src, 'https://other.example.org'],
        [pathname, `${origin}/`],
        [pathname.slice(1), origin],
      ] as const) {
        expect(await sizeOf(getImage(given, { modifiers, baseURL }).url)).toBe('jpeg 320x320');
      }
      expect(await sizeOf(getImage(src).url)).toBe('webp 1600x900');
    }));

  test('Astro: its image service, with a srcset', () =>
    withPhoto(async (src, sizeOf) => {
      const options = {
        src,
        width: 800,
        height: 450,
        widths: [320, 640],
        alt: 'Blue',
        quality: 'mid',
      };
      expect(await sizeOf(astroService.getURL(options))).toBe('webp 800x450');
      expect(await sizeOf(astroService.getURL({ src: { src }, width: 64 }))).toBe('webp 64x36');
      const set = astroService.getSrcSet(options);
      expect(set.map(({ descriptor }) => descriptor)).toEqual(['320w', '640w']);
      const sizes = set.map(({ transform }) => sizeOf(astroService.getURL(transform)));
      expect(await Promise.all(sizes)).toEqual(['webp 320x180', 'webp 640x360']);
      expect(astroService.getHTMLAttributes(options)).toEqual({
        ...{ alt: 'Blue', width: 800, height: 450, loading: 'lazy', decoding: 'async' },
      });
      const dense = { src, width: 200, height: 100, densities: [1.5, '2x'], alt: '' };
      const densities = astroService.getSrcSet(dense);
      expect(densities.map(({ descriptor }) => descriptor)).toEqual(['1.5x', '2x']);
      expect(densities.map(({ transform: { width, height } }) => [width, height])).toEqual([
        [300, 150],
        [400, 200],
      ]);
      const placed = { ...dense, layout: 'constrained', position: 'top', priority: true };
      expect(astroService.getHTMLAttributes(placed)).toEqual({
        ...{ alt: '', width: 200, height: 100, loading: 'lazy', decoding: 'async' },
      });
    }));

  test('unpic: its transformer, which covers a box, and reads its own URLs', () =>
    withPhoto(async (src, sizeOf) => {
      const url = unpicProvider.transform(new URL(src), {
        width: 200,
        height: 200,
        format: 'avif',
      });
      expect(await sizeOf(url)).toBe('webp 200x200');
      expect(unpicProvider.extract(url)).toEqual({
        src,
        operations: { width: '200', height: '200', quality: undefined, format: 'webp' },
      });
      expect(await sizeOf(unpicProvider.transform(url, { width: 100, height: 50 }))).toBe(
        'webp 100x50',
      );
    }));
});
