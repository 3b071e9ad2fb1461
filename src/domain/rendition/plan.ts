import { isDecodable } from '../../media/image-header.ts';
import {
  type Background,
  outputSize,
  type RenderFormat,
  type RenderPlan,
  type Size,
} from '../../media/render.ts';
import type { Focus } from './focus.ts';
import { type Layout, SIDE_MAX, shrinkToLimit, shrinkToSquare } from './geometry.ts';
import { layOut } from './layout.ts';
import type { RenditionRequest } from './request.ts';

/** The properties of a stored image that a plan depends on. */
export interface Source extends Size {
  mimeType: string;
}

/** The output format by MIME type, for formats that can be both read and written. */
const FORMAT_OF: Readonly<Record<string, RenderFormat>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

/** The output format for every other MIME type or request: browsers show it, and it can be transparent. */
const OTHER_FORMAT: RenderFormat = 'webp';

/** The quality unless another is asked for, on the scale of JPEG and WebP. */
const QUALITY_DEFAULT = 80;

/**
 * What of the quality of JPEG and WebP looks the same in a format with a quality. AVIF has a scale of its own: with the same
 * number, it looks better and is larger than a WebP (a photo at 75: 79 KB instead of 64).
 */
const QUALITY_SCALE: Readonly<Partial<Record<RenderFormat, number>>> = {
  jpeg: 1,
  webp: 1,
  avif: 55 / 80,
};
const BLACK: Background = { r: 0, g: 0, b: 0, alpha: 1 };

/** The color behind transparent pixels in a format that cannot have them. */
export const WHITE: Background = { r: 255, g: 255, b: 255, alpha: 1 };

/** The version of specs. Raise it when the same plan renders other bytes: renditions of older specs are not found any more. */
export const SPEC_VERSION = 'v3';

/** Returns the image of a file; null for a file that cannot be rendered: a PDF, a video, an SVG. */
export function toSource(file: {
  mimeType: string;
  width: number | null;
  height: number | null;
}): Source | null {
  const { mimeType, width, height } = file;
  if (width === null || height === null || !isDecodable(mimeType)) return null;
  return { mimeType, width, height };
}

/** Returns the format of the renditions of an image if a request names none. */
export function ownFormat(mimeType: string): RenderFormat {
  return FORMAT_OF[mimeType] ?? OTHER_FORMAT;
}

/**
 * Returns the quality that the encoder gets; null if the format has none. `wanted`: on the scale of JPEG and WebP; null: the
 * default.
 */
export function qualityOf(format: RenderFormat, wanted: number | null): number | null {
  const scale = QUALITY_SCALE[format];
  if (scale === undefined) return null;
  return Math.max(1, Math.round((wanted ?? QUALITY_DEFAULT) * scale));
}

/** Returns the plan of a request; null if the request leaves the image unchanged. `focalPoint`: that of the image. */
export function planRendition(
  request: RenditionRequest,
  source: Source,
  focalPoint: Focus['focalPoint'] = null,
): RenderPlan | null {
  const layout = layOut(request, source, focalPoint);
  const isSameFormat = request.format === null || isFormatOf(request.format, source.mimeType);
  const format = outputFormat(request.format, source.mimeType);
  const quality = qualityOf(format, request.quality);
  const isRecoded = !isSameFormat || (quality !== null && request.quality !== null);
  const background = backgroundOf(request.background, { layout, format, source });
  const isColored = background !== null && request.background !== null;
  if (isUntouched(layout, source) && !isRecoded && !isColored) return null;
  const { width, height } = outputSize(layout);
  return {
    ...(Math.max(width, height) > SIDE_MAX ? shrinkToLimit(layout) : layout),
    background,
    format,
    quality,
    mayMove: true,
  };
}

/**
 * Returns the plan of a small, still WebP of the whole image: still, because lists show many of them. It does not depend
 * on the focal point, because nothing is cut off.
 */
export function planThumbnail(source: Size, side: number): RenderPlan {
  const layout = shrinkToSquare(source, side);
  const look = { background: null, format: 'webp', quality: qualityOf('webp', null) } as const;
  return { ...layout, ...look, mayMove: false };
}

/**
 * Returns the text that is the same for all plans of the same output. Increase its version when `renderImage` changes
 * its output for a plan.
 */
export function specOf({ crop, scaled, window, canvas, ...rest }: RenderPlan): string {
  const { background, format, quality, mayMove } = rest;
  const rects = [crop, { left: 0, top: 0, ...scaled }, window, canvas];
  const texts = rects.map((one) =>
    one === null ? '-' : `${one.left},${one.top},${one.width},${one.height}`,
  );
  const color = background === null ? '-' : colorText(background);
  return [SPEC_VERSION, format, quality ?? '-', ...texts, color, mayMove ? 'moving' : 'still'].join(
    ' ',
  );
}

function colorText({ r, g, b, alpha }: Background): string {
  return [r, g, b, ...(alpha === 1 ? [] : [alpha])].join();
}

function isUntouched({ crop, scaled, window, canvas }: Layout, source: Size): boolean {
  const isSameSize = scaled.width === source.width && scaled.height === source.height;
  return isSameSize && crop === null && window === null && canvas === null;
}

function isFormatOf(format: string, mimeType: string): boolean {
  return `image/${format}` === mimeType;
}

function outputFormat(wanted: RenditionRequest['format'], mimeType: string): RenderFormat {
  if (wanted === null) return ownFormat(mimeType);
  return wanted === 'avif' ? OTHER_FORMAT : wanted;
}

/**
 * Returns the color behind the image: the given one, else null (transparent). A JPEG has no transparent pixels: in one,
 * it is mixed with white behind transparent pixels, and with black beside an image that is a JPEG itself, as
 * ImageProcessor does. Null, too, if no background would be visible, because a JPEG source has no transparent pixels.
 */
function backgroundOf(
  color: Background | null,
  { layout, format, source }: { layout: Layout; format: RenderFormat; source: Source },
): Background | null {
  const isOpaque = source.mimeType === 'image/jpeg';
  if (isOpaque && layout.canvas === null) return null;
  if (format === 'jpeg') return over(color, isOpaque ? BLACK : WHITE);
  return color?.alpha === 0 ? null : color;
}

/** Returns the color in front of an opaque one. */
function over(color: Background | null, behind: Background): Background {
  if (color === null) return behind;
  const mix = (front: number, back: number) => Math.round(back + (front - back) * color.alpha);
  const { r, g, b } = behind;
  return { r: mix(color.r, r), g: mix(color.g, g), b: mix(color.b, b), alpha: 1 };
}
