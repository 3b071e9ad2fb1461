import { outputSize, type Rect, type RenderPlan, type Size } from '../../media/render.ts';
import type { Crop, Point, RenditionRequest } from './request.ts';

/** The longest side of a rendition, in pixels; a request for a larger size is ignored. */
export const SIDE_MAX = 5000;

/** The geometric part of a plan. */
export type Layout = Pick<RenderPlan, 'crop' | 'scaled' | 'window' | 'canvas'>;

/**
 * Returns the geometry of a request, by the rules of ImageProcessor's `Resize`. The image keeps its size if the request
 * has no size, has one past `SIDE_MAX`, or would enlarge the image although it says `upscale=false`.
 */
export function layOut(request: RenditionRequest, source: Size): Layout {
  const crop = request.crop && cropRect(request.crop, source);
  const base: Rect = crop ?? { left: 0, top: 0, width: source.width, height: source.height };
  const layout = resize(request, base);
  const isAllowed = layout !== null && isWithin(outputSize(layout), request, base);
  const { crop: part, ...rest } = isAllowed ? layout : unscaled(base);
  const isAll = part.width === source.width && part.height === source.height;
  return { crop: isAll ? null : part, ...rest };
}

/** Returns the layout scaled down so that no side is longer than `SIDE_MAX`. */
export function shrinkToLimit({ crop, scaled }: Layout): Layout {
  const ratio = Math.min(1, SIDE_MAX / Math.max(scaled.width, scaled.height));
  return { crop, scaled: scale(scaled, ratio), window: null, canvas: null };
}

/** Returns the layout that fits the image into a square of that side, without enlarging it. */
export function shrinkToSquare(source: Size, side: number): Layout {
  const ratio = Math.min(1, side / Math.max(source.width, source.height));
  return { crop: null, scaled: scale(source, ratio), window: null, canvas: null };
}

/** A layout whose crop is given even if it is the whole image. */
interface FullLayout extends Layout {
  crop: Rect;
}

function isWithin(size: Size, { mode, isUpscaled }: RenditionRequest, base: Size): boolean {
  if (Math.max(size.width, size.height) > SIDE_MAX) return false;
  if (isUpscaled || mode === 'stretch' || mode === 'boxpad' || mode === 'min') return true;
  return size.width <= base.width && size.height <= base.height;
}

/** Returns null if the request has no size. */
function resize(request: RenditionRequest, base: Rect): FullLayout | null {
  const { mode, anchor, center } = request;
  if (request.width === null && request.height === null) return null;
  const byHeight = (request.height ?? 0) / base.height;
  const byWidth = (request.width ?? 0) / base.width;
  const isBox = byHeight > 0 && byWidth > 0;
  const ratio = isBox ? Math.min(byWidth, byHeight) : byWidth || byHeight;
  const inside = { width: request.width ?? 0, height: request.height ?? 0 };
  const free = scale(base, ratio);
  const box = { width: inside.width || free.width, height: inside.height || free.height };
  if (mode === 'min') return whole(base, minSize(base, box, { byWidth, byHeight, ratio }));
  if (mode === 'boxpad' && base.width < box.width && base.height < box.height) {
    return pad(base, base, box, anchor);
  }
  if (!isBox || mode === 'max') return whole(base, fitted(base, box, ratio));
  if (mode === 'stretch') return whole(base, box);
  if (mode === 'crop') return cover(base, box, center ?? anchor, center !== null);
  return pad(base, fitted(base, box, ratio), box, anchor);
}

function whole(base: Rect, scaled: Size): FullLayout {
  return { crop: base, scaled, window: null, canvas: null };
}

function unscaled(base: Rect): FullLayout {
  return whole(base, { width: base.width, height: base.height });
}

function scale({ width, height }: Size, ratio: number): Size {
  return {
    width: Math.max(1, Math.round(width * ratio)),
    height: Math.max(1, Math.round(height * ratio)),
  };
}

/** Returns the size that fits into the box; the side that fills it is not changed by rounding. */
function fitted(base: Size, box: Size, ratio: number): Size {
  const { width, height } = scale(base, ratio);
  return { width: Math.min(width, box.width), height: Math.min(height, box.height) };
}

/**
 * Returns the size at which the side that is closer to its target reaches it; the other side may stay longer than the
 * box. Never enlarges.
 */
function minSize(
  base: Size,
  box: Size,
  ratios: { byWidth: number; byHeight: number; ratio: number },
): Size {
  const isWidthCloser = base.width - box.width < base.height - box.height;
  const both = ratios.byWidth > 0 && ratios.byHeight > 0;
  const ratio = !both ? ratios.ratio : isWidthCloser ? ratios.byWidth : ratios.byHeight;
  return scale(base, Math.min(1, ratio));
}

function pad(base: Rect, scaled: Size, box: Size, anchor: Point): FullLayout {
  const { width, height } = scaled;
  const isFull = width === box.width && height === box.height;
  const left = Math.floor((box.width - width) * anchor.x);
  const top = Math.floor((box.height - height) * anchor.y);
  const canvas = isFull ? null : { left, top, width: box.width, height: box.height };
  return { crop: base, scaled: { width, height }, window: null, canvas };
}

/**
 * Returns the layout that covers the box. The overhang is cut off: around the center, or on the sides away from the
 * anchor.
 */
function cover(base: Rect, box: Size, focus: Point, isCenter: boolean): FullLayout {
  const ratio = Math.max(box.width / base.width, box.height / base.height);
  const full = {
    width: Math.max(box.width, Math.round(base.width * ratio)),
    height: Math.max(box.height, Math.round(base.height * ratio)),
  };
  const place = isCenter ? placeAround : placeAt;
  const left = place(full.width, box.width, focus.x);
  const top = place(full.height, box.height, focus.y);
  if (ratio <= 1) return withWindow(base, full, { left, top, ...box });
  // A narrow image would be huge after it was enlarged and before it is cut: enlarge only the part that is kept,
  // and the pixels at the cut.
  const x = coveredSpan(base.width, left, box.width, ratio);
  const y = coveredSpan(base.height, top, box.height, ratio);
  const crop = {
    left: base.left + x.start,
    top: base.top + y.start,
    width: x.length,
    height: y.length,
  };
  const scaled = { width: x.scaled, height: y.scaled };
  return withWindow(crop, scaled, { left: x.offset, top: y.offset, ...box });
}

function withWindow(crop: Rect, scaled: Size, window: Rect): FullLayout {
  const isAll = scaled.width === window.width && scaled.height === window.height;
  return { crop, scaled, window: isAll ? null : window, canvas: null };
}

function placeAt(length: number, kept: number, fraction: number): number {
  return Math.floor((length - kept) * fraction);
}

function placeAround(length: number, kept: number, fraction: number): number {
  const start = Math.floor(length * fraction - kept / 2);
  return Math.min(length - kept, Math.max(0, start));
}

function coveredSpan(length: number, offset: number, kept: number, ratio: number) {
  const start = Math.min(length - 1, Math.floor(offset / ratio));
  const end = Math.min(length, Math.max(start + 1, Math.ceil((offset + kept) / ratio)));
  const scaled = Math.max(kept, Math.round((end - start) * ratio));
  const inner = Math.round(offset - start * ratio);
  return {
    start,
    length: end - start,
    scaled,
    offset: Math.min(scaled - kept, Math.max(0, inner)),
  };
}

/** Returns null if the crop contains nothing of the image, or all of it. */
function cropRect(crop: Crop, source: Size): Rect | null {
  const rect = crop.unit === 'pixels' ? crop.rect : fromFractions(crop, source);
  const left = Math.round(rect.left);
  const top = Math.round(rect.top);
  const width = Math.min(Math.round(rect.width), source.width - left);
  const height = Math.min(Math.round(rect.height), source.height - top);
  const isAll = width === source.width && height === source.height;
  return width < 1 || height < 1 || isAll ? null : { left, top, width, height };
}

function fromFractions(crop: Crop & { unit: 'fraction' }, { width, height }: Size): Rect {
  return {
    left: crop.left * width,
    top: crop.top * height,
    width: (1 - crop.left - crop.right) * width,
    height: (1 - crop.top - crop.bottom) * height,
  };
}
