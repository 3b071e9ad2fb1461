import type { ResizeOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { colorDifference, type Pixels, structuralSimilarity } from '../../support/ssim.ts';
import { resample } from './reference.ts';
import { SCENE, scene, stored } from './scene.ts';
import { toPixels, toSharp } from './source.ts';

const SMALL = { width: 120, height: 90 };
const IMAGE = small(scene('colors', true));

describe('the structural similarity', () => {
  it('of equal images is 1, and that of others does not depend on their order', async () => {
    expect(structuralSimilarity(IMAGE, IMAGE)).toBe(1);
    const other = small(scene('flat', true));
    expect(structuralSimilarity(IMAGE, other)).toBeCloseTo(structuralSimilarity(other, IMAGE), 12);
  });

  it('of windows without structure is that of their luminance', () => {
    // (2 · 100 · 120 + C1) / (100² + 120² + C1)
    expect(structuralSimilarity(gray(100), gray(120))).toBeCloseTo(0.98361, 5);
    expect(structuralSimilarity(gray(0), gray(255))).toBeCloseTo(0.0001, 4);
  });

  it('of opposite structures is negative', () => {
    // Both have mean 110 and variance 100, and their covariance is -100: (-200 + C2) / (200 + C2)
    expect(structuralSimilarity(checks(100, 120), checks(120, 100))).toBeCloseTo(-0.54725, 5);
  });

  it('is lower than 0.98 for whatever the comparison of renditions has to find', async () => {
    const wrong: Record<string, Pixels> = {
      'a shift by a pixel': small(scene('colors', true), { left: 320 / 120, top: 0 }),
      'the nearest pixels only': await plainly({ kernel: 'nearest' }),
      'no alpha': { ...IMAGE, data: IMAGE.data.map((value, at) => (at % 4 === 3 ? 255 : value)) },
      'a blur': await toPixels(await toSharp(IMAGE).blur(1).png().toBuffer()),
    };
    for (const orientation of [2, 3, 4])
      wrong[`orientation ${orientation}`] = stored(IMAGE, orientation);
    const high = Object.entries(wrong)
      .map(([name, image]) => `${name}: ${structuralSimilarity(IMAGE, image).toFixed(3)}`)
      .filter((text) => Number(text.split(': ')[1]) >= 0.98);
    expect(high).toEqual([]);
  });

  it('of a rendition by sharp alone is nearly 1', async () => {
    expect(structuralSimilarity(IMAGE, await plainly({}))).toBeGreaterThan(0.998);
  });
});

describe('the difference of colors', () => {
  it('is that of the channel that differs most', () => {
    const green = {
      ...gray(100),
      data: gray(100).data.map((value, at) => (at % 4 === 1 ? 110 : value)),
    };
    expect(colorDifference(gray(100), green)).toBe(10);
    expect(colorDifference(gray(100), gray(100))).toBe(0);
  });

  it('finds numbers of Display P3 that are shown as those of sRGB', async () => {
    const wide = await toSharp(IMAGE).withIccProfile('p3', { attach: false }).png().toBuffer();
    expect(colorDifference(IMAGE, await toPixels(wide))).toBeGreaterThan(5);
  });
});

function small(image: Pixels, { left, top } = { left: 0, top: 0 }): Pixels {
  return resample(image, { left, top, ...SCENE }, SMALL);
}

/** Returns the small scene as sharp scales it. */
async function plainly(options: ResizeOptions): Promise<Pixels> {
  return toPixels(
    await toSharp(scene('colors', true))
      .resize({ ...SMALL, ...options })
      .png()
      .toBuffer(),
  );
}

function gray(value: number): Pixels {
  return checks(value, value);
}

/** Returns a pattern of two grays in turn. */
function checks(one: number, other: number): Pixels {
  const data = Uint8Array.from({ length: 20 * 20 * 4 }, (_, at) => {
    const pixel = Math.floor(at / 4);
    const isEven = (pixel + Math.floor(pixel / 20)) % 2 === 0;
    return at % 4 === 3 ? 255 : isEven ? one : other;
  });
  return { data, width: 20, height: 20 };
}
