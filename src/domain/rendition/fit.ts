import {
  outputSize,
  type Rect,
  type RenderFormat,
  type RenderPlan,
  type Size,
} from '../../media/render.ts';
import type { Crop } from '../attribute.ts';
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
  placeAround,
  reduced,
  SIDE_MAX,
  scale,
  shrinkToLimit,
  toPoint,
  whole,
  within,
  withoutFullCrop,
} from './geometry.ts';
import { ownFormat, qualityOf, type Source, WHITE } from './plan.ts';
import type { Point } from './request.ts';

/**
 * How an image is fitted into a width and a height, in the words of CSS `object-fit` and sharp:
 *
 * - `contain`: the whole image, centered, with transparent bars (white in a JPEG) where it does not fill the size.
 * - `cover`: fills the size; the overhang is cut off, so that the focal point is as close to the center as possible.
 * - `fill`: fills the size; the image is stretched.
 * - `inside`: the largest size of the whole image that is not larger than the size.
 * - `outside`: the smallest size of the whole image that is not smaller than the size.
 */
export type Fit = 'contain' | 'cover' | 'fill' | 'inside' | 'outside';

/** A rendition that is asked for. */
export interface FitRequest {
  /** In pixels, at least 1. Null: follows from the height and the aspect ratio. */
  width: number | null;
  /** In pixels, at least 1. Null: follows from the width and the aspect ratio. */
  height: number | null;
  fit: Fit;
  /** `original`: the format of the image, or WebP if it is not a format of renditions. */
  format: 'original' | RenderFormat;
  /** 1 to 100. Null: the default of the format. Ignored for formats without a quality. */
  quality: number | null;
  /** The name of a crop of the image. Null: the whole image. */
  crop: string | null;
}

/**
 * Returns the plan of a rendition.
 *
 * With one side, the image is scaled, whatever the fit is; without sides, it keeps its size. An image is never enlarged:
 * a browser enlarges it as well, from fewer bytes (imgproxy's `enlarge:0`, Sanity's `fit=max`). A size that would enlarge
 * the image, or that has a side past `SIDE_MAX`, is reduced with its aspect ratio kept (imgproxy's `fill-down`, Sanity's
 * `fit=min`), so that the layout of a page stays as it is. `fill` is reduced until one side is not enlarged. The size of the
 * output is `outputSize` of the plan.
 *
 * A named crop is cut out first: its coordinates, or without them the largest part around the focal point; in both cases
 * trimmed to the aspect ratio of the crop. Without sides, the output has the size of the crop. A name that the image does
 * not have is ignored, because the crops of the images on a page differ.
 */
export function fitRequest(wanted: FitRequest, source: Source, focus: Focus): RenderPlan {
  const named = focus.crops.find(({ alias }) => alias === wanted.crop);
  const point = toPoint(focus.focalPoint) ?? CENTER;
  const full =
    named === undefined ? ofImage(wanted, source, point) : ofCrop(wanted, source, { named, point });
  const layout = limited(withoutFullCrop(full, source));
  const format = wanted.format === 'original' ? ownFormat(source.mimeType) : wanted.format;
  const isTransparent = layout.canvas !== null || source.mimeType !== 'image/jpeg';
  const background = format === 'jpeg' && isTransparent ? WHITE : null;
  const quality = qualityOf(format, wanted.quality);
  return { ...layout, background, format, quality, mayMove: true };
}

function ofImage(wanted: FitRequest, { width, height }: Size, focus: Point): FullLayout {
  const base = { left: 0, top: 0, width, height };
  const box = boxOf(wanted, base);
  return wanted.width === null || wanted.height === null
    ? whole(base, reduced(box, base, 'some'))
    : fitInto(base, box, wanted.fit, focus);
}

/** The sides that are not given follow from the crop, so that all images with a crop of that size have the same size. */
function ofCrop(
  wanted: FitRequest,
  source: Size,
  { named, point }: { named: Crop; point: Point },
): FullLayout {
  const area = areaOf(named, source);
  const focus = within(area, point, source);
  if (wanted.width === null || wanted.height === null) {
    return cover(area, freeBoxOf(wanted, named, area), focus, true);
  }
  const box = { width: wanted.width, height: wanted.height };
  const part = trimmed(area, named, focus);
  return fitInto(part, box, wanted.fit, within(part, point, source));
}

/** Returns the wanted size. Sides that are not given follow from the aspect ratio, or are those of `own`. */
function boxOf({ width, height }: FitRequest, own: Size): Size {
  if (width === null && height === null) return { width: own.width, height: own.height };
  const free = scale(own, width === null ? (height ?? 0) / own.height : width / own.width);
  return { width: width ?? free.width, height: height ?? free.height };
}

/**
 * Returns the size of a crop of which at most one side is given, reduced as `reduced` does. It is rounded once, so that the
 * width or the height of what it returns gives the same size again.
 */
function freeBoxOf({ width, height }: FitRequest, named: Size, area: Size): Size {
  const wanted = width !== null ? width / named.width : height !== null ? height / named.height : 1;
  const most = Math.min(area.width / named.width, area.height / named.height);
  return scale(named, Math.min(wanted, most, SIDE_MAX / Math.max(named.width, named.height)));
}

function fitInto(base: Rect, wanted: Size, fit: Fit, focus: Point): FullLayout {
  const box = reduced(wanted, base, fit === 'cover' || fit === 'outside' ? 'none' : 'some');
  if (fit === 'fill') return whole(base, box);
  if (fit === 'cover') return cover(base, box, focus, true);
  if (fit === 'outside') return whole(base, covering(base, box));
  const size = fitted(base, box, Math.min(box.width / base.width, box.height / base.height));
  return fit === 'inside' ? whole(base, size) : pad(base, size, box, CENTER);
}

/** Returns the area of a crop: the whole image, if it has no coordinates or they leave nothing. */
function areaOf({ coordinates }: Crop, source: Size): Rect {
  const all = { left: 0, top: 0, width: source.width, height: source.height };
  if (coordinates == null) return all;
  const { x1: left, y1: top, x2: right, y2: bottom } = coordinates;
  return cropRect({ unit: 'fraction', left, top, right, bottom }, source) ?? all;
}

/** Returns the largest part of an area that has the aspect ratio of the crop, as close to the focal point as possible. */
function trimmed(area: Rect, { width, height }: Size, focus: Point): Rect {
  const size = scale({ width, height }, Math.min(area.width / width, area.height / height));
  return {
    left: area.left + placeAround(area.width, size.width, focus.x),
    top: area.top + placeAround(area.height, size.height, focus.y),
    ...size,
  };
}

/** `outside` may have a side past the limit, and a size of which only one side is given. */
function limited(layout: Layout): Layout {
  const { width, height } = outputSize(layout);
  return Math.max(width, height) > SIDE_MAX ? shrinkToLimit(layout) : layout;
}
