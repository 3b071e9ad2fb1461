import { describe, expect, it } from 'vitest';
import { type Fit, type FitRequest, fitRequest } from '../../../src/domain/rendition/fit.ts';
import type { Focus } from '../../../src/domain/rendition/focus.ts';
import { type Source, specOf } from '../../../src/domain/rendition/plan.ts';
import { outputSize } from '../../../src/media/render.ts';

const WIDE: Source = { width: 400, height: 200, mimeType: 'image/jpeg' };
const PNG: Source = { ...WIDE, mimeType: 'image/png' };
const NO_FOCUS: Focus = { focalPoint: null, crops: [] };
const FITS: Fit[] = ['contain', 'cover', 'fill', 'inside', 'outside'];

interface Options {
  source?: Source;
  focus?: Partial<Focus>;
}

function planOf(wanted: Partial<FitRequest>, { source = WIDE, focus }: Options = {}) {
  const defaults = { width: null, height: null, fit: 'contain', format: 'original' } as const;
  const request = { ...defaults, quality: null, crop: null, ...wanted };
  return fitRequest(request, source, { ...NO_FOCUS, ...focus });
}

/** Returns the geometry of a request: `crop size window canvas`. */
function geometry(wanted: Partial<FitRequest>, options?: Options): string {
  const [, , , crop, scaled, window, canvas] = specOf(planOf(wanted, options)).split(' ');
  return [crop, scaled?.replace('0,0,', ''), window, canvas].join(' ');
}

describe('an image in a width and a height', () => {
  it.each<[Fit, number, number, string]>([
    ['contain', 100, 100, '- 100,50 - 0,25,100,100'],
    ['cover', 100, 100, '- 200,100 50,0,100,100 -'],
    ['fill', 100, 100, '- 100,100 - -'],
    ['inside', 100, 100, '- 100,50 - -'],
    ['outside', 100, 100, '- 200,100 - -'],
    ['contain', 300, 100, '- 200,100 - 50,0,300,100'],
    ['cover', 300, 100, '- 300,150 0,25,300,100 -'],
    ['inside', 300, 100, '- 200,100 - -'],
    ['outside', 300, 100, '- 300,150 - -'],
    ['contain', 200, 100, '- 200,100 - -'],
    ['cover', 200, 100, '- 200,100 - -'],
  ])('%s %i × %i', (fit, width, height, expected) =>
    expect(geometry({ fit, width, height })).toBe(expected),
  );

  it.each<[Fit, number, number, string]>([
    ['contain', 1000, 1000, '- 400,200 - 0,100,400,400'],
    ['cover', 1000, 1000, '- 400,200 100,0,200,200 -'],
    ['fill', 1000, 1000, '- 400,400 - -'],
    ['inside', 1000, 1000, '- 400,200 - -'],
    ['outside', 1000, 1000, '- 400,200 - -'],
    // One side is longer than the image.
    ['contain', 500, 100, '- 200,100 - 150,0,500,100'],
    ['cover', 500, 100, '- 400,200 0,60,400,80 -'],
    ['fill', 500, 100, '- 500,100 - -'],
  ])('is not enlarged and keeps its aspect ratio: %s %i × %i', (fit, width, height, expected) =>
    expect(geometry({ fit, width, height })).toBe(expected),
  );
});

describe('an image in a width or a height', () => {
  it.each(FITS)('is scaled: %s', (fit) => {
    expect(geometry({ fit, width: 100 })).toBe('- 100,50 - -');
    expect(geometry({ fit, height: 50 })).toBe('- 100,50 - -');
    expect(geometry({ fit, width: 401 })).toBe('- 400,200 - -');
    expect(geometry({ fit, height: 1000 })).toBe('- 400,200 - -');
    expect(geometry({ fit })).toBe('- 400,200 - -');
  });
});

describe('the focal point', () => {
  const at = (left: number, top: number) => ({ focus: { focalPoint: { left, top } } });
  const square = { fit: 'cover', width: 100, height: 100 } as const;

  it.each([
    [0, 0.5, '- 200,100 0,0,100,100 -'],
    [0.25, 0.5, '- 200,100 0,0,100,100 -'],
    [0.3, 0.5, '- 200,100 10,0,100,100 -'],
    [0.5, 0.9, '- 200,100 50,0,100,100 -'],
    [0.7, 0, '- 200,100 90,0,100,100 -'],
    [1, 1, '- 200,100 100,0,100,100 -'],
  ])('is as close to the center of a cut as possible: %d, %d', (left, top, expected) =>
    expect(geometry(square, at(left, top))).toBe(expected),
  );

  it.each(FITS.filter((fit) => fit !== 'cover'))('does not matter if nothing is cut: %s', (fit) => {
    const wanted = { ...square, fit };
    expect(geometry(wanted, at(0, 1))).toBe(geometry(wanted));
  });

  it('changes the rendition of a cut only', () => {
    expect(specOf(planOf(square, at(0, 0)))).not.toBe(specOf(planOf(square, at(1, 0))));
    const scaled = { ...square, height: 50 };
    expect(specOf(planOf(scaled, at(0, 0)))).toBe(specOf(planOf(scaled, at(1, 0))));
  });
});

describe('a named crop', () => {
  const crops = [
    { alias: 'banner', width: 200, height: 50 },
    { alias: 'face', width: 80, height: 80, coordinates: { x1: 0.5, y1: 0, x2: 0, y2: 0 } },
    { alias: 'wrong', width: 60, height: 20, coordinates: { x1: 0.5, y1: 0, x2: 0.25, y2: 0 } },
    { alias: 'empty', width: 200, height: 50, coordinates: { x1: 1, y1: 0, x2: 1, y2: 0 } },
    { alias: 'large', width: 4000, height: 4000 },
  ];
  const of = (
    crop: string,
    wanted: Partial<FitRequest> = {},
    focalPoint: Focus['focalPoint'] = null,
  ) => geometry({ crop, ...wanted }, { focus: { crops, focalPoint } });

  it('has its own size if none is given, and its aspect ratio if one side is', () => {
    expect(of('banner')).toBe('- 200,100 0,25,200,50 -');
    expect(of('banner', { width: 100 })).toBe('- 100,50 0,12,100,25 -');
    expect(of('banner', { height: 100 })).toBe('- 400,200 0,50,400,100 -');
    expect(of('face')).toBe('200,0,200,200 80,80 - -');
    expect(of('face', { width: 100 })).toBe('200,0,200,200 100,100 - -');
  });

  it('is never enlarged', () => {
    expect(of('large')).toBe('- 400,200 100,0,200,200 -');
    expect(of('face', { width: 1000 })).toBe('200,0,200,200 200,200 - -');
    expect(of('banner', { height: 300 })).toBe('- 400,200 0,50,400,100 -');
  });

  it('without coordinates is centered on the focal point', () => {
    expect(of('banner', {}, { left: 0, top: 1 })).toBe('- 200,100 0,50,200,50 -');
    expect(of('large', {}, { left: 0.3, top: 0 })).toBe('- 400,200 20,0,200,200 -');
    expect(of('empty', {}, { left: 0, top: 1 })).toBe(of('banner', {}, { left: 0, top: 1 }));
  });

  it('whose coordinates have another aspect ratio is trimmed, around the focal point', () => {
    expect(of('wrong')).toBe('200,0,100,200 60,120 0,50,60,20 -');
    expect(of('wrong', {}, { left: 0.5, top: 0 })).toBe('200,0,100,200 60,120 0,0,60,20 -');
  });

  it('is cut before it is fitted', () => {
    const box = { width: 100, height: 100 };
    expect(of('banner', { ...box, fit: 'contain' })).toBe('0,50,400,100 100,25 - 0,37,100,100');
    expect(of('banner', { ...box, fit: 'inside' })).toBe('0,50,400,100 100,25 - -');
    expect(of('banner', { ...box, fit: 'fill' })).toBe('0,50,400,100 100,100 - -');
    expect(of('face', { width: 100, height: 50, fit: 'cover' })).toBe(
      '200,0,200,200 100,100 0,25,100,50 -',
    );
    // The focal point, at the right end, is at the right end of the part that is left.
    const right = { left: 1, top: 0.5 };
    expect(of('banner', { width: 50, height: 50, fit: 'cover' }, right)).toBe(
      '0,50,400,100 200,50 150,0,50,50 -',
    );
  });

  it('that the image does not have is ignored', () => {
    expect(of('other', { width: 100 })).toBe(geometry({ width: 100 }));
  });
});

describe('a rendition', () => {
  it.each([
    ['original', 'image/jpeg', 'jpeg 80'],
    ['original', 'image/gif', 'gif null'],
    ['original', 'image/tiff', 'webp 80'],
    ['original', 'image/avif', 'webp 80'],
    ['webp', 'image/jpeg', 'webp 80'],
    ['avif', 'image/jpeg', 'avif 55'],
    ['png', 'image/jpeg', 'png null'],
  ] as const)('as %s of %s is %s', (format, mimeType, expected) => {
    const plan = planOf({ format }, { source: { ...WIDE, mimeType } });
    expect(`${plan.format} ${plan.quality}`).toBe(expected);
  });

  it('has the quality that is asked for, if its format has one', () => {
    expect(planOf({ quality: 1 }).quality).toBe(1);
    expect(planOf({ quality: 1, format: 'png' }).quality).toBeNull();
  });

  it('is transparent, in a JPEG white', () => {
    const box = { width: 100, height: 100 };
    expect(planOf(box, { source: PNG }).background).toBeNull();
    expect(planOf({ ...box, format: 'webp' }).background).toBeNull();
    const white = { r: 255, g: 255, b: 255, alpha: 1 };
    expect(planOf(box).background).toEqual(white);
    expect(planOf({ format: 'jpeg' }, { source: PNG }).background).toEqual(white);
    expect(planOf({ width: 100 }).background).toBeNull();
  });

  it.each([
    ['inside', 6000, 6000, '5000x5000'],
    ['contain', 6000, 3000, '5000x2500'],
    ['cover', 6000, 3000, '5000x2500'],
    ['fill', 6000, 3000, '5000x2500'],
    ['outside', 6000, 3000, '5000x5000'],
    ['cover', 6000, null, '5000x5000'],
    ['contain', null, null, '5000x5000'],
  ] as const)('has no side past the limit: %s %i × %i', (fit, width, height, expected) => {
    const plan = planOf({ fit, width, height }, { source: { ...PNG, width: 9000, height: 9000 } });
    const size = outputSize(plan);
    expect(`${size.width}x${size.height}`).toBe(expected);
  });

  it('of every size is within the image, has the size of the box or less, and is not empty', () => {
    for (const source of sizes().map((size) => ({ ...PNG, ...size }))) {
      for (const box of sizes()) {
        for (const fit of FITS) {
          for (const crop of [null, 'a', 'b']) expectSound({ ...box, fit, crop }, source);
        }
      }
    }
  });
});

function sizes() {
  const lengths = [1, 2, 7, 333, 4999, 20_000];
  return lengths.flatMap((width) => lengths.map((height) => ({ width, height })));
}

function expectSound(
  wanted: Pick<FitRequest, 'fit' | 'crop'> & { width: number; height: number },
  source: Source,
): void {
  const coordinates = { x1: 0.31, y1: 0.07, x2: 0.29, y2: 0.6 };
  const crops = [
    { alias: 'a', width: 31, height: 17 },
    { alias: 'b', width: 3, height: 20_000, coordinates },
  ];
  const plan = planOf(wanted, { source, focus: { crops, focalPoint: { left: 0.9, top: 0.2 } } });
  const { crop, scaled, window, canvas } = plan;
  const name = `${JSON.stringify(wanted)} ${JSON.stringify(source)}`;
  const base = crop ?? { left: 0, top: 0, ...source };
  const size = outputSize(plan);
  const isInside = (inner: typeof base, outer: { width: number; height: number }) =>
    inner.left >= 0 &&
    inner.top >= 0 &&
    inner.left + inner.width <= outer.width &&
    inner.top + inner.height <= outer.height;
  const sides = [base, scaled, size].flatMap(({ width, height }) => [width, height]);
  expect(
    sides.every((side) => Number.isInteger(side) && side >= 1),
    name,
  ).toBe(true);
  expect(isInside(base, source), name).toBe(true);
  expect(window === null || isInside(window, scaled), name).toBe(true);
  expect(canvas === null || isInside({ ...canvas, ...scaled }, canvas), name).toBe(true);
  expect(Math.max(size.width, size.height), name).toBeLessThanOrEqual(5000);
  if (wanted.fit !== 'fill') expect(scaled.width, name).toBeLessThanOrEqual(base.width);
  if (wanted.fit !== 'fill') expect(scaled.height, name).toBeLessThanOrEqual(base.height);
  if (wanted.fit === 'outside') return;
  expect(size.width, name).toBeLessThanOrEqual(wanted.width);
  expect(size.height, name).toBeLessThanOrEqual(wanted.height);
}
