import type { Rect, RenderPlan, Size } from '../../media/render.ts';
import type { Focus } from './focus.ts';
import type { Crop, Point } from './request.ts';

/** The longest side of a rendition, in pixels. */
export const SIDE_MAX = 5000;

/** The center of an image or a box. */
export const CENTER: Point = { x: 0.5, y: 0.5 };

/** The geometric part of a plan. */
export type Layout = Pick<RenderPlan, 'crop' | 'scaled' | 'window' | 'canvas'>;

/** A layout whose crop is given even if it is the whole image. */
export interface FullLayout extends Layout {
  crop: Rect;
}

/** Returns the same layout, with null for a crop that is the whole image. */
export function withoutFullCrop({ crop, ...rest }: FullLayout, source: Size): Layout {
  const isAll = crop.width === source.width && crop.height === source.height;
  return { crop: isAll ? null : crop, ...rest };
}

/** Tells whether two layouts are the same. */
export function isSameLayout(one: Layout, other: Layout): boolean {
  return (
    one.scaled.width === other.scaled.width &&
    one.scaled.height === other.scaled.height &&
    isSameRect(one.crop, other.crop) &&
    isSameRect(one.window, other.window) &&
    isSameRect(one.canvas, other.canvas)
  );
}

function isSameRect(one: Rect | null, other: Rect | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.left === other.left &&
    one.top === other.top &&
    one.width === other.width &&
    one.height === other.height
  );
}

/** Converts a focal point. */
export function toPoint(focalPoint: Focus['focalPoint']): Point | null {
  return focalPoint && { x: focalPoint.left, y: focalPoint.top };
}

/** Converts a point of the image to fractions of a part of it. A point outside the part becomes one on its edge. */
export function within(part: Rect, { x, y }: Point, source: Size): Point {
  const clamp = (fraction: number) => Math.min(1, Math.max(0, fraction));
  return {
    x: clamp((x * source.width - part.left) / part.width),
    y: clamp((y * source.height - part.top) / part.height),
  };
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

/** Returns the layout that scales the part `base` to a size, which may stretch it. */
export function whole(base: Rect, { width, height }: Size): FullLayout {
  return { crop: base, scaled: { width, height }, window: null, canvas: null };
}

/** Returns the size times the ratio, in whole pixels; no side is shorter than 1. */
export function scale({ width, height }: Size, ratio: number): Size {
  return {
    width: Math.max(1, Math.round(width * ratio)),
    height: Math.max(1, Math.round(height * ratio)),
  };
}

/**
 * Returns the size, reduced with its aspect ratio kept until no side is longer than `SIDE_MAX`, and until `none` of its
 * sides enlarges the image, or only `some`: then the other one stays shorter than that of the image.
 */
export function reduced(box: Size, base: Size, enlarging: 'none' | 'some'): Size {
  const ratios = [box.width / base.width, box.height / base.height];
  const enlarged = enlarging === 'none' ? Math.max(...ratios) : Math.min(...ratios);
  return scale(box, Math.min(1, 1 / enlarged, SIDE_MAX / Math.max(box.width, box.height)));
}

/** Returns the size that fits into the box; the side that fills it is not changed by rounding. */
export function fitted(base: Size, box: Size, ratio: number): Size {
  const { width, height } = scale(base, ratio);
  return { width: Math.min(width, box.width), height: Math.min(height, box.height) };
}

/** Returns the size that covers the box; the side that fills it is not changed by rounding. */
export function covering(base: Size, box: Size): Size {
  const ratio = Math.max(box.width / base.width, box.height / base.height);
  return {
    width: Math.max(box.width, Math.round(base.width * ratio)),
    height: Math.max(box.height, Math.round(base.height * ratio)),
  };
}

/** Returns the layout that places the scaled image on a canvas of the size of the box. */
export function pad(base: Rect, scaled: Size, box: Size, anchor: Point): FullLayout {
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
export function cover(base: Rect, box: Size, focus: Point, isCenter: boolean): FullLayout {
  const ratio = Math.max(box.width / base.width, box.height / base.height);
  const full = covering(base, box);
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

/** Returns the start of a part of length `kept` whose center is as close as possible to a point, given as a fraction. */
export function placeAround(length: number, kept: number, fraction: number): number {
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

/** Returns the pixels of a crop; null if it contains nothing of the image, or all of it. */
export function cropRect(crop: Crop, source: Size): Rect | null {
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
