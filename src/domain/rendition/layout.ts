import { outputSize, type Rect, type Size } from '../../media/render.ts';
import type { Focus } from './focus.ts';
import {
  CENTER,
  cover,
  covering,
  cropRect,
  type FullLayout,
  fitted,
  type Layout,
  pad,
  reduced,
  SIDE_MAX,
  scale,
  toPoint,
  whole,
  within,
  withoutFullCrop,
} from './geometry.ts';
import type { Point, RenditionRequest } from './request.ts';

/**
 * Returns the geometry of a request, by the rules of ImageProcessor's `Resize`. The image keeps its size if the request
 * has no size, has one past `SIDE_MAX`, or would enlarge the image although it says `upscale=false`. With `upscale=never`,
 * which ImageProcessor does not have, the size is reduced instead, as in `fitRequest`. `crop` cuts around the focal point,
 * unless the request names a center or an anchor.
 */
export function layOut(
  request: RenditionRequest,
  source: Size,
  focalPoint: Focus['focalPoint'],
): Layout {
  const crop = request.crop && cropRect(request.crop, source);
  const base: Rect = crop ?? { left: 0, top: 0, width: source.width, height: source.height };
  const point = toPoint(focalPoint);
  const focus = request.center ?? (request.anchor || !point ? null : within(base, point, source));
  const layout = request.isReduced ? shrink(request, base, focus) : resize(request, base, focus);
  const isAllowed =
    layout !== null && (request.isReduced || isWithin(outputSize(layout), request, base));
  return withoutFullCrop(isAllowed ? layout : whole(base, base), source);
}

function isWithin(size: Size, { mode, isUpscaled }: RenditionRequest, base: Size): boolean {
  if (Math.max(size.width, size.height) > SIDE_MAX) return false;
  if (isUpscaled || mode === 'stretch' || mode === 'boxpad' || mode === 'min') return true;
  return size.width <= base.width && size.height <= base.height;
}

/** Returns null if the request has no size. `focus`: the point to cut around, in fractions of `base`. */
function resize(request: RenditionRequest, base: Rect, focus: Point | null): FullLayout | null {
  const { mode } = request;
  const anchor = request.anchor ?? CENTER;
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
  if (mode === 'crop') return cover(base, box, focus ?? anchor, focus !== null);
  return pad(base, fitted(base, box, ratio), box, anchor);
}

/** Resizes as `resize` does, to a size that enlarges nothing and has the same aspect ratio. `min` covers it. */
function shrink(request: RenditionRequest, base: Rect, focus: Point | null): FullLayout | null {
  const { mode, width, height } = request;
  if (width === null && height === null) return null;
  if (width === null || height === null) {
    const ratio = width === null ? (height ?? 0) / base.height : width / base.width;
    return whole(base, reduced(scale(base, ratio), base, 'some'));
  }
  const isCovered = mode === 'crop' || mode === 'min';
  const box = reduced({ width, height }, base, isCovered ? 'none' : 'some');
  return mode === 'min'
    ? whole(base, covering(base, box))
    : resize({ ...request, ...box }, base, focus);
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
