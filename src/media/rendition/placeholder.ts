import { rgbaToThumbHash } from 'thumbhash';
import { loadSharp } from '../decode-memory.ts';
import type { Pixels } from '../render.ts';

/** Traits of an image that a page needs before it has the image. */
export interface Placeholder {
  /** The ThumbHash: about 28 bytes in Base64. */
  thumbhash: string;
  /** The most frequent color, `#rrggbb`. */
  dominantColor: string;
  /** Whether something shows through: an alpha channel whose pixels are all opaque does not count. */
  hasAlpha: boolean;
  /** Whether the image has several frames that are shown one after the other. */
  isAnimated: boolean;
}

/** Maximum side of the image that a ThumbHash is made from, in pixels. */
const SIDE_MAX = 100;

/** Returns the placeholder of an image. Of an animation, all but `isAnimated` is that of the first frame. */
export async function toPlaceholder(pixels: Pixels): Promise<Placeholder> {
  const { bytes, width, height, channels, isAnimated } = pixels;
  const sharp = await loadSharp();
  const { data, info } = await sharp(bytes, { raw: { width, height, channels } })
    .resize(SIDE_MAX, SIDE_MAX, { fit: 'inside', withoutEnlargement: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    thumbhash: Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('base64'),
    dominantColor: dominantColor(data),
    hasAlpha: channels === 4 && isSeeThrough(bytes),
    isAnimated,
  };
}

/** Tells whether a pixel is not opaque. */
function isSeeThrough(rgba: Buffer): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return true;
  return false;
}

/** Alpha from which on a pixel counts for the dominant color. */
const VISIBLE = 128;

/**
 * Returns the mean of the colors in the fullest of 16 × 16 × 16 equal parts of the color space, `#rrggbb`. Pixels that are
 * hardly visible do not count, unless all are.
 */
function dominantColor(rgba: Buffer): string {
  return (fullestPart(rgba, VISIBLE) ?? fullestPart(rgba, 0) ?? [0, 0, 0])
    .map((value) => Math.round(value).toString(16).padStart(2, '0'))
    .reduce((text, digits) => text + digits, '#');
}

/** Returns null if no pixel has that much alpha. */
function fullestPart(rgba: Buffer, alphaMin: number): number[] | null {
  const counts = new Uint32Array(4096);
  const sums = new Float64Array(3 * 4096);
  for (let at = 0; at < rgba.length; at += 4) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = rgba.subarray(at, at + 4);
    if (alpha < alphaMin) continue;
    const part = ((red >> 4) << 8) | (green & 0xf0) | (blue >> 4);
    counts[part] = (counts[part] ?? 0) + 1;
    for (const [channel, value] of [red, green, blue].entries()) {
      sums[3 * part + channel] = (sums[3 * part + channel] ?? 0) + value;
    }
  }
  const count = Math.max(...counts);
  const fullest = counts.indexOf(count);
  return count === 0
    ? null
    : [...sums.subarray(3 * fullest, 3 * fullest + 3)].map((sum) => sum / count);
}
