import { outputSize, type RenderFormat, type RenderPlan } from '../../media/render.ts';
import { type Fit, fitRequest } from './fit.ts';
import type { Focus } from './focus.ts';
import { type ImageRequest, UNCHANGED } from './parameters.ts';
import { ownFormat, qualityOf, type Source, specOf } from './plan.ts';

/**
 * Returns the request that stands for all requests with the same rendition, so that one rendition has one URL: defaults
 * and everything without an effect are left out, such as a width beyond that of the image, the quality of a PNG, or a crop
 * that the image does not have. It is the shortest request with the plan of the given one. Its own canonical request is
 * itself.
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

/** What the job of the thumbnail finds out about an image. Null: not yet. */
export interface Traits {
  hasAlpha: boolean | null;
  isAnimated: boolean | null;
}

/**
 * Returns the format for clients that name neither AVIF nor WebP: one that every client reads, and that loses nothing of
 * the image. As long as the traits are not known, a PNG.
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
 * Returns the simpler requests of which one may have the same plan, the simplest first. `inside` and `outside` give sizes
 * that need no fit, and a crop without coordinates is a cover.
 */
function candidates(exact: ImageRequest, plan: RenderPlan): ImageRequest[] {
  const { width, height } = outputSize(plan);
  const { format, quality, crop, fit } = exact;
  const plain = { ...UNCHANGED, format, quality };
  const fits = new Set<Fit>([UNCHANGED.fit, 'cover', fit]);
  const boxes = [...fits].map((one) => ({ width, height, fit: one }));
  // A reduced size may be rounded so that it gives another one: the given one is left then.
  const asked = [...fits].map((one) => ({ width: exact.width, height: exact.height, fit: one }));
  const sizes = [{}, { width }, { height }, ...boxes, ...asked];
  return [null, ...(crop === null ? [] : [crop])].flatMap((one) =>
    sizes.map((size) => ({ ...plain, ...size, crop: one })),
  );
}
