import sharp from 'sharp';
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from 'thumbhash';
import { describe, expect, test } from 'vitest';
import { planThumbnail } from '../../../src/domain/rendition/plan.ts';
import { type ImageSet, renderSet } from '../../../src/media/rendition/image-set.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { animatedPng, animation, plain, quadrants, shadesOf } from '../../support/image.ts';
import { withFile } from '../../support/temporary-file.ts';

const LIMITS = { pixelsMax: 10_000_000, timeoutMs: 30_000 };
const SIDES = [320, 160, 640];

async function setOf(bytes: Buffer, isMoving = false): Promise<ImageSet> {
  const { autoOrient } = await sharp(bytes).metadata();
  const plans = SIDES.map((side) => ({ ...planThumbnail(autoOrient, side), mayMove: isMoving }));
  return withFile(bytes, (path) => renderSet(path, plans, LIMITS));
}

/** Returns the average color that a placeholder stands for: red, green, blue and alpha from 0 to 255. */
function averageOf({ placeholder }: ImageSet): number[] {
  const { r, g, b, a } = thumbHashToAverageRGBA(Buffer.from(placeholder.thumbhash, 'base64'));
  return [r, g, b, a].map((value) => Math.round(value * 255));
}

function avifSequence(): Buffer {
  const bytes = fixtureBytes('picture.avif');
  bytes.write('avis', bytes.indexOf('avif', 12, 'latin1'), 'latin1');
  return bytes;
}

const GRADIENT = await sharp(
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><defs><linearGradient id="g">
      <stop offset="0" stop-color="#d04020"/><stop offset="1" stop-color="#4060e0"/>
      </linearGradient></defs><rect width="900" height="600" fill="url(#g)"/></svg>`,
  ),
)
  .removeAlpha()
  .png()
  .toBuffer();

describe('sizes of an image', () => {
  test('are each what rendering it in that size alone is', async () => {
    const { images } = await setOf(GRADIENT);
    const sizes = images.map((image) => image && [image.width, image.height]);
    expect(sizes).toEqual([
      [320, 213],
      [160, 107],
      [640, 427],
    ]);
    for (const image of images) {
      const { data } = await sharp(GRADIENT)
        .resize(image!.width, image!.height, { fit: 'fill' })
        .raw()
        .toBuffer({ resolveWithObject: true });
      const own = await sharp(image!.bytes).raw().toBuffer();
      const differences = own.map((value, at) => Math.abs(value - (data[at] ?? 0)));
      expect(differences.reduce((sum, one) => sum + one, 0) / own.length).toBeLessThan(2);
    }
  });

  test('are turned as the image is shown', async () => {
    const turned = await quadrants(1000, 500).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    for (const image of (await setOf(turned)).images) {
      expect(image!.height).toBe(image!.width * 2);
      expect(await shadesOf(image!.bytes)).toBe('blue red yellow lime blue');
    }
  });

  test('are stills of an animation, or none where it has to move', async () => {
    const gif = await animation('gif', { frames: 3, width: 400, height: 300 });
    for (const image of (await setOf(gif)).images) {
      expect((await sharp(image!.bytes).metadata()).pages ?? 1).toBe(1);
    }
    expect((await setOf(gif, true)).images).toEqual([null, null, null]);
  });
});

describe('a placeholder', () => {
  const HALF_CLEAR = sharp({
    create: { width: 300, height: 300, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  }).composite([
    {
      input: { create: { width: 300, height: 150, channels: 3, background: '#3080c0' } },
      gravity: 'north',
    },
  ]);

  const images: Readonly<Record<string, () => Promise<Buffer>>> = {
    PNG: async () => GRADIENT,
    'PNG of 16 bits': () => sharp(GRADIENT).toColourspace('rgb16').png().toBuffer(),
    'gray PNG': () => sharp(GRADIENT).grayscale().png().toBuffer(),
    'gray PNG of 16 bits': () => sharp(GRADIENT).toColourspace('grey16').png().toBuffer(),
    'gray JPEG': () => sharp(GRADIENT).grayscale().jpeg().toBuffer(),
    'CMYK JPEG': () => sharp(GRADIENT).toColourspace('cmyk').jpeg().toBuffer(),
    TIFF: () => sharp(GRADIENT).tiff().toBuffer(),
    WebP: () => sharp(GRADIENT).webp().toBuffer(),
    'palette PNG': () => sharp(GRADIENT).png({ palette: true }).toBuffer(),
  };

  test.each(Object.keys(images))('has the average color of an opaque %s', async (name) => {
    const bytes = await images[name]!();
    const set = await setOf(bytes);
    const shown = sharp(await sharp(bytes).toColourspace('srgb').png().toBuffer());
    const means = (await shown.stats()).channels.map(({ mean }) => mean);
    const expected = [...(means.length === 1 ? [...means, ...means, ...means] : means), 255];
    for (const [channel, value] of averageOf(set).entries()) {
      expect(Math.abs(value - (expected[channel] ?? 0)), `${channel}`).toBeLessThan(12);
    }
    const hash = Buffer.from(set.placeholder.thumbhash, 'base64');
    expect(hash.length).toBeLessThan(30);
    expect(thumbHashToApproximateAspectRatio(hash)).toBeCloseTo(1.5, 0);
    expect(set.placeholder).toMatchObject({ hasAlpha: false, isAnimated: false });
  });

  test('says that something shows through, and whose color is left', async () => {
    for (const bytes of [
      await HALF_CLEAR.clone().png().toBuffer(),
      await HALF_CLEAR.clone().webp().toBuffer(),
      await HALF_CLEAR.clone().gif().toBuffer(),
      await HALF_CLEAR.clone().png({ palette: true }).toBuffer(),
    ]) {
      const set = await setOf(bytes);
      expect(set.placeholder.hasAlpha).toBe(true);
      expect(averageOf(set)[3]).toBeLessThan(200);
      const [red, green, blue] = Buffer.from(set.placeholder.dominantColor.slice(1), 'hex');
      expect([red! < 70, Math.abs(green! - 0x80) < 20, Math.abs(blue! - 0xc0) < 20]).toEqual([
        ...[true, true, true],
      ]);
    }
  });

  test('counts an alpha channel that is opaque everywhere as none', async () => {
    const bytes = await sharp(GRADIENT).ensureAlpha().png().toBuffer();
    expect((await sharp(bytes).metadata()).hasAlpha).toBe(true);
    expect((await setOf(bytes)).placeholder.hasAlpha).toBe(false);
  });

  test('has the color of most of the image', async () => {
    const wide = quadrants(40, 40).extend({ left: 200, background: '#0000ff' });
    expect((await setOf(await wide.png().toBuffer())).placeholder.dominantColor).toBe('#0000ff');
    const clear = await plain({ r: 10, g: 20, b: 30, alpha: 0 }).png().toBuffer();
    expect((await setOf(clear)).placeholder.dominantColor).toMatch(/^#[0-9a-f]{6}$/);
  });

  test('tells animations from stills', async () => {
    const size = { frames: 3, width: 40, height: 30 };
    const animated = [
      await animation('gif', size),
      await animation('webp', size),
      await animatedPng(),
      fixtureBytes('animation.gif'),
      avifSequence(),
    ];
    for (const bytes of animated) {
      expect((await setOf(bytes)).placeholder.isAnimated).toBe(true);
    }
    const stills = ['picture.webp', 'picture.avif', 'picture.png'].map(fixtureBytes);
    const still = await animation('gif', { ...size, frames: 1 });
    for (const bytes of [...stills, still]) {
      expect((await setOf(bytes)).placeholder.isAnimated).toBe(false);
    }
  });
});
