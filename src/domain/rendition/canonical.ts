import { outputSize, type RenderFormat, type RenderPlan } from '../../media/render.ts';
import { type Fit, fitRequest } from './fit.ts';
import type { Focus } from './focus.ts';
import { type ImageRequest, UNCHANGED } from './parameters.ts';
import { ownFormat, qualityOf, type Source, specOf } from './plan.ts';

/**
 * Returns the request that stands for all requests with the same rendition, so that one rendition has one URL. Leaves
 * out defaults and parameters without an effect: a width beyond that of the image, the quality of a PNG, a crop that the
 * image does not have. The result is the simplest request with the same plan, and is its own canonical request.
 */
export function canonicalRequest(
  wanted: ImageRequest,
  source: Source,
  focus: Focus,
): { request: ImageRequest; plan: RenderPlan } {
  const format = wanted.format === ownFormat(source.mimeType) ? 'original' : wanted.format;
  const quality = hasQuality(wanted, source) ? wanted.quality : null;
  const exact = { ...wanted, format, quality };
  const plan = planOf(exact, source, focus);
  const spec = specOf(plan);
  const isSame = (request: ImageRequest) => specOf(planOf(request, source, focus)) === spec;
  return { request: candidates(exact, plan).find(isSame) ?? exact, plan };
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

/** Tells whether the quality has an effect on one of the formats that the request can have. */
function hasQuality({ format, quality }: ImageRequest, source: Source): boolean {
  const auto: RenderFormat[] = ['avif', 'webp', 'jpeg'];
  const own = format === 'original' ? ownFormat(source.mimeType) : format;
  const formats = own === 'auto' ? auto : [own];
  return formats.some((one) => qualityOf(one, quality) !== qualityOf(one, null));
}

/**
 * Returns requests that may have the same plan, simplest first. The sizes that `inside` and `outside` lead to need no fit,
 * and a crop without coordinates equals a cover.
 */
function candidates(exact: ImageRequest, plan: RenderPlan): ImageRequest[] {
  const { width, height } = outputSize(plan);
  const { format, quality, crop, fit } = exact;
  const plain = { ...UNCHANGED, format, quality };
  const fits = new Set<Fit>([UNCHANGED.fit, 'cover', fit]);
  const boxes = [...fits].map((one) => ({ width, height, fit: one }));
  // Rounding may make the plan of a reduced size a different one: the requested size is then used.
  const asked = [...fits].map((one) => ({ width: exact.width, height: exact.height, fit: one }));
  const sizes = [{}, { width }, { height }, ...boxes, ...asked];
  return [null, ...(crop === null ? [] : [crop])].flatMap((one) =>
    sizes.map((size) => ({ ...plain, ...size, crop: one })),
  );
}
