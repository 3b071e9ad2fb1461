import { outputSize, type RenderFormat, type RenderPlan, type Size } from '../../media/render.ts';
import type { Crop } from '../attribute.ts';
import { fitRequest } from './fit.ts';
import type { Focus } from './focus.ts';
import { isSameLayout } from './geometry.ts';
import { type ImageRequest, UNCHANGED } from './parameters.ts';
import { ownFormat, qualityOf, type Source } from './plan.ts';

/**
 * Returns the request that stands for all requests with the same rendition, so that one rendition has one URL: defaults
 * and everything without an effect are left out, such as a width beyond that of the image, the quality of a PNG, or a crop
 * that the image does not have. It is the shortest request with the plan of the given one. Its own canonical request is
 * itself. Computes a handful of plans, and never more than 13: a page may ask for thousands of URLs.
 */
export function canonicalRequest(
  wanted: ImageRequest,
  source: Source,
  focus: Focus,
): { request: ImageRequest; plan: RenderPlan } {
  const format = wanted.format === ownFormat(source.mimeType) ? 'original' : wanted.format;
  const exact = { ...wanted, format, quality: canonicalQuality(wanted, source) };
  const plan = planOf(exact, source, focus);
  for (const request of candidates(exact, outputSize(plan), focus)) {
    // The same layout in the same format: the rest of the plan follows from these.
    if (isSameLayout(planOf(request, source, focus), plan)) return { request, plan };
  }
  return { request: exact, plan };
}

/** Returns the plan of a request. `format`: the one that an `auto` gets. (Default: WebP) */
export function planOf(
  request: ImageRequest,
  source: Source,
  focus: Focus,
  format: RenderFormat = 'webp',
): RenderPlan {
  const actual = request.format === 'auto' ? format : request.format;
  return fitRequest({ ...request, format: actual }, source, focus);
}

/** Traits of an image that the job of its thumbnail determines; null until it has run. */
export interface Traits {
  hasAlpha: boolean | null;
  isAnimated: boolean | null;
}

/**
 * Returns the format for clients that name neither AVIF nor WebP: every client reads it, and it keeps transparency and
 * motion. It is PNG until the traits are known, unless the image is a JPEG or a GIF.
 */
export function basicFormat({ mimeType }: Source, { hasAlpha, isAnimated }: Traits): RenderFormat {
  if (mimeType === 'image/jpeg') return 'jpeg';
  if (mimeType === 'image/gif' || isAnimated) return 'gif';
  return mimeType !== 'image/png' && hasAlpha === false ? 'jpeg' : 'png';
}

/**
 * Returns the quality that stands for all with the same effect on the formats that the request can have: null for none, and
 * the lowest one for AVIF, which has fewer.
 */
function canonicalQuality({ format, quality }: ImageRequest, source: Source): number | null {
  const auto: RenderFormat[] = ['avif', 'webp', 'jpeg'];
  const own = format === 'original' ? ownFormat(source.mimeType) : format;
  const formats = own === 'auto' ? auto : [own];
  const isSame = (other: number | null) =>
    formats.every((one) => qualityOf(one, quality) === qualityOf(one, other));
  if (quality === null || isSame(null)) return null;
  let lowest = quality;
  while (lowest > 1 && isSame(lowest - 1)) lowest -= 1;
  return lowest;
}

/**
 * Returns the simpler requests of which one has the same plan, the simplest first. They depend on the output and on the crop
 * only, not on how a request describes them, so that all requests with the same plan find the same one. A box of the size
 * of the output gives every plan: with `contain` those with bars, with `cover` those that cut, and with `fill` the others. A
 * crop without coordinates is a cover.
 */
function* candidates(exact: ImageRequest, { width, height }: Size, focus: Focus) {
  const plain = { ...UNCHANGED, format: exact.format, quality: exact.quality };
  const alias = firstAlias(exact.crop, focus);
  for (const crop of alias === null ? [null] : [null, alias]) {
    yield { ...plain, crop };
    yield { ...plain, crop, width };
    yield { ...plain, crop, height };
    for (const fit of BOX_FITS) yield { ...plain, crop, width, height, fit };
  }
}

const BOX_FITS = [UNCHANGED.fit, 'cover', 'fill'] as const;

/** Returns the name of the first crop with the same area and aspect ratio; null if the image has no such crop. */
function firstAlias(alias: string | null, { crops }: Focus): string | null {
  const named = crops.find((one) => one.alias === alias);
  return named === undefined ? null : (crops.find((one) => isSameCrop(one, named))?.alias ?? null);
}

function isSameCrop(one: Crop, other: Crop): boolean {
  if (one.width * other.height !== other.width * one.height) return false;
  const [a, b] = [one.coordinates ?? null, other.coordinates ?? null];
  if (a === null || b === null) return a === b;
  return a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2;
}
