import { describe, expect, it } from 'vitest';
import { canonicalRequest } from '../../../src/domain/rendition/canonical.ts';
import { fitRequest } from '../../../src/domain/rendition/fit.ts';
import type { Focus } from '../../../src/domain/rendition/focus.ts';
import { boxOnLadder, LADDER } from '../../../src/domain/rendition/ladder.ts';
import {
  formatParameters,
  type ImageRequest,
  parseParameters,
  UNCHANGED,
} from '../../../src/domain/rendition/parameters.ts';
import { planRendition, type Source, specOf } from '../../../src/domain/rendition/plan.ts';
import { parseRenditionRequest } from '../../../src/domain/rendition/request.ts';

const PHOTO: Source = { mimeType: 'image/jpeg', width: 1000, height: 500 };
const HERO = { alias: 'hero', width: 300, height: 100 };
const NARROW = { alias: 'Größe „1“', width: 100, height: 400, coordinates: null };
const LEFT = { ...HERO, alias: 'left', coordinates: { x1: 0, y1: 0, x2: 0.4, y2: 0.1 } };
const FOCUS: Focus = { focalPoint: { left: 0.2, top: 0.7 }, crops: [HERO, NARROW, LEFT] };

function textOf(wanted: Partial<ImageRequest>, source = PHOTO, focus = FOCUS): string {
  const { request } = canonicalRequest({ ...UNCHANGED, ...wanted }, source, focus);
  return formatParameters({ request, expiryHour: null });
}

describe('the parameters of a rendition', () => {
  it.each<[string, Partial<ImageRequest>[]]>([
    ['', [{}, { fit: 'cover' }, { width: 1000 }, { width: 4000 }, { height: 500 }]],
    ['', [{ width: 2000, height: 1000 }, { format: 'jpeg' }, { quality: 80 }, { crop: 'none' }]],
    ['w400', [{ width: 400 }, { height: 200 }, { width: 400, height: 200 }]],
    [
      'w400',
      [
        { width: 400, height: 300, fit: 'inside' },
        { width: 400, fit: 'cover' },
      ],
    ],
    [
      'w400',
      [
        { width: 300, height: 200, fit: 'outside' },
        { width: 400, crop: 'none' },
      ],
    ],
    ['w300.h200.cover', [{ width: 300, height: 200, fit: 'cover' }]],
    ['h500.w500.cover', [{ width: 800, height: 800, fit: 'cover' }]],
    [
      'w400.h300',
      [
        { width: 400, height: 300 },
        { width: 400, height: 300, fit: 'contain' },
      ],
    ],
    [
      'w400.webp',
      [
        { width: 400, format: 'webp' },
        { width: 400, format: 'webp', quality: 80 },
      ],
    ],
    ['w400.png', [{ width: 400, format: 'png', quality: 30 }]],
    ['w400.avif', [{ width: 400, format: 'avif', quality: 80 }]],
    // AVIF has the same quality for both.
    ['q75.w400.avif', [75, 76].map((quality) => ({ width: 400, format: 'avif', quality }))],
    // The quality of one of the formats that it can have.
    ['w400.auto.q75', [{ width: 400, format: 'auto', quality: 75 }]],
    ['w400.auto', [{ width: 400, format: 'auto', quality: 80 }]],
    // Without coordinates, a crop is a cover.
    ['w300.h100.cover', [{ crop: 'hero' }, { crop: 'hero', width: 300 }]],
    ['c-left', [{ crop: 'left' }, { crop: 'left', height: 100, fit: 'cover' }]],
    ['w150.c-left', [{ crop: 'left', width: 150 }]],
  ])('are %s for all requests with that rendition', (text, requests) => {
    const parts = (one: string) => one.split('.').sort().join('.');
    for (const request of requests) {
      expect([request, parts(textOf(request))]).toEqual([request, parts(text)]);
    }
  });

  it('are the same for two requests exactly if their renditions are', () => {
    const texts = new Map<string, string>();
    for (const request of requests()) {
      for (const source of [PHOTO, { ...PHOTO, width: 499, height: 733 }]) {
        const actual = request.format === 'auto' ? 'webp' : request.format;
        const spec = specOf(fitRequest({ ...request, format: actual }, source, FOCUS));
        const key = JSON.stringify([source, request.format === 'auto', spec]);
        const text = textOf(request, source);
        expect([request, text]).toEqual([request, texts.get(key) ?? text]);
        texts.set(key, text);
        const parsed = parseParameters(text)!;
        expect(textOf(parsed.request, source)).toBe(text);
      }
    }
    expect(texts.size).toBeGreaterThan(100);
  });

  it('are the same for all sizes of one crop with the same rendition, whatever its name', () => {
    const coordinates = { x1: 0.25, y1: 0.2, x2: 0.25, y2: 0.3 };
    const crops = [
      { alias: 'b', width: 20, height: 10, coordinates },
      { alias: 'odd', width: 300, height: 101, coordinates: { ...coordinates, x2: 0.1 } },
      { alias: 'same', width: 40, height: 20, coordinates },
    ];
    const focus = { ...FOCUS, crops };
    for (const source of [PHOTO, { mimeType: 'image/png', width: 640, height: 427 }]) {
      const texts = new Map<string, string>();
      for (const request of boxes(crops.map(({ alias }) => alias))) {
        const { request: canonical, plan } = canonicalRequest(request, source, focus);
        const text = formatParameters({ request: canonical, expiryHour: null });
        const spec = specOf(plan);
        expect([request, text]).toEqual([request, texts.get(spec) ?? text]);
        texts.set(spec, text);
      }
      expect([...texts.values()].join()).not.toContain('c-same');
    }
  });

  it('take at most 13 plans, and 3 for those of most pages', () => {
    let plans = 0;
    // `fitRequest` reads the focal point once for each plan.
    const focus: Focus = {
      crops: FOCUS.crops,
      get focalPoint() {
        plans += 1;
        return FOCUS.focalPoint;
      },
    };
    const plansOf = (wanted: Partial<ImageRequest>) => {
      plans = 0;
      textOf(wanted, PHOTO, focus);
      return plans;
    };
    expect(plansOf({ width: 400, format: 'auto', quality: 50 })).toBeLessThanOrEqual(3);
    for (const request of requests()) expect(plansOf(request)).toBeLessThanOrEqual(13);
  });

  it('can be read back', () => {
    for (const request of requests()) {
      for (const expiryHour of [null, 498_765]) {
        const text = formatParameters({ request, expiryHour });
        expect(text).toMatch(/^[\w.-]*$/);
        expect(parseParameters(text)).toEqual({ request, expiryHour });
      }
    }
  });

  it.each([
    ...['w0', 'w01', 'w-1', 'w1e3', 'w9999999999', 'h', 'q', 'x1', 'contain', 'original'],
    ...['h2.w1', 'w1.w1', 'w1.', '.w1', 'w1..h2', 'W1', 'cover.w1', 'b-aGVybw', 'c-', 'c-a b'],
    ...['webp.cover', 'q75.webp', 'b-_', 'e1.w1'],
  ])('are not spelled %s', (text) => {
    expect(parseParameters(text)).toBeNull();
  });
});

it('a width in WebP is the rendition that is made of every image after its upload', () => {
  for (const mimeType of ['image/jpeg', 'image/png', 'image/webp']) {
    for (const width of [160, 320, 640]) {
      const source = { mimeType, width: 1013, height: 677 };
      const made = parseRenditionRequest({ width: String(width), format: 'webp' })!;
      const { plan } = canonicalRequest({ ...UNCHANGED, width, format: 'auto' }, source, FOCUS);
      expect(specOf(plan)).toBe(specOf(planRendition(made, source)!));
    }
  }
});

function requests(): ImageRequest[] {
  const sides = [null, 1, 300, 499, 800, 5000];
  const fits = ['contain', 'cover', 'fill', 'inside', 'outside'] as const;
  const looks = [
    { format: 'original', quality: null },
    { format: 'auto', quality: null },
    { format: 'webp', quality: 30 },
  ] as const;
  return sides.flatMap((width) =>
    sides.flatMap((height) =>
      fits.flatMap((fit) =>
        looks.flatMap((look) =>
          [null, 'left', NARROW.alias].map((crop) => ({ ...look, width, height, fit, crop })),
        ),
      ),
    ),
  );
}

/** Returns requests of crops in many sizes, larger and smaller than the image. */
function boxes(aliases: readonly string[]): ImageRequest[] {
  const sides = [null, 1, 2, 99, 160, 320, 1280, 5000];
  const fits = ['contain', 'cover', 'fill', 'inside', 'outside'] as const;
  return aliases.flatMap((crop) =>
    sides.flatMap((width) =>
      sides.flatMap((height) => fits.map((fit) => ({ ...UNCHANGED, width, height, fit, crop }))),
    ),
  );
}

describe('the size of a rendition for a stranger', () => {
  it('keeps a usual aspect ratio, and those of the image and its crops', () => {
    for (const ratio of [1, 1.5, 2 / 3, 16 / 9, 2, 3, 0.25]) {
      for (const width of [213, 641, 999]) {
        const height = Math.round(width / ratio);
        const asked = { ...UNCHANGED, width, height };
        const box = boxOnLadder(asked, { width: 4000, height: 4000 }, [HERO, NARROW]);
        expect(LADDER).toContain(box.width);
        expect(box.width).toBeGreaterThanOrEqual(width);
        expect(Math.abs(box.width! / ratio - box.height!)).toBeLessThanOrEqual(0.5);
      }
    }
  });

  it('is one of a few', () => {
    const source = { width: 4000, height: 3000 };
    const sizes = new Set<string>();
    for (let height = 1; height <= 2000; height++) {
      const { width, height: rounded } = boxOnLadder({ width: 777, height }, source, []);
      sizes.add(`${width} ${rounded}`);
    }
    expect(sizes.size).toBeLessThan(150);
  });
});
