import type { z } from 'zod';
import { listOf, wholeNumber } from '../setting.ts';

/** Configuration of images and their renditions. */
export interface ImageSettings {
  imagePixelsMax: number;
  /** Widths in pixels of the renditions that are made of every image, in ascending order. */
  thumbnailSizes: readonly number[];
  renditionCacheBytesMax: number;
}

/** The bounds of a thumbnail size, in pixels. The largest rendition is decoded in memory. */
const SIZE_MIN = 16;
const SIZE_MAX = 2560;
const SIZES_MAX = 8;
const SIZES_EXPECTED = `1 to ${SIZES_MAX} widths in pixels from ${SIZE_MIN} to ${SIZE_MAX}, separated by commas`;

const sizes = listOf(SIZES_EXPECTED, (widths) => {
  const isWidth = (text: string) =>
    /^\d{1,4}$/.test(text) && Number(text) >= SIZE_MIN && Number(text) <= SIZE_MAX;
  return widths.length <= SIZES_MAX && widths.every(isWidth);
}).transform((widths) => [...new Set(widths.map(Number))].sort((a, b) => a - b));

/** The variables of images, as in `VARIABLES`. */
export const IMAGE_VARIABLES = {
  TRIVIUM_IMAGE_PIXELS_MAX: [
    wholeNumber(1, 2 ** 31).default(100_000_000),
    'largest image, in pixels; default: 100,000,000',
  ],
  TRIVIUM_THUMBNAIL_SIZES: [
    sizes.prefault('160,320,640,1280'),
    'widths that are made of every image after its upload, in pixels; default: 160,320,640,1280',
  ],
  TRIVIUM_RENDITION_CACHE_BYTES_MAX: [
    wholeNumber(0, Number.MAX_SAFE_INTEGER).default(2 ** 30),
    'size of the rendition cache, in bytes; 0 keeps none; default: 1 GiB',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = {
  [Name in keyof typeof IMAGE_VARIABLES]: z.output<(typeof IMAGE_VARIABLES)[Name][0]>;
};

/** Converts the values of the variables. */
export function toImageSettings(values: Values): ImageSettings {
  return {
    imagePixelsMax: values.TRIVIUM_IMAGE_PIXELS_MAX,
    thumbnailSizes: values.TRIVIUM_THUMBNAIL_SIZES,
    renditionCacheBytesMax: values.TRIVIUM_RENDITION_CACHE_BYTES_MAX,
  };
}
