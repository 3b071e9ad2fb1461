import type { RenderFormat } from '../../media/render.ts';
import type { SentFileRow } from '../../store/file/sent-file.ts';
import type { Context } from '../context.ts';
import { findFileAt, isPrivate, type OpenedFile, openRow, toBoolean } from '../file/file.ts';
import { expiryHourForNow, signPathUntilHour } from '../file/signed-url.ts';
import { requestAvif } from './avif.ts';
import { basicFormat, canonicalRequest, planOf } from './canonical.ts';
import { type Focus, focusOf } from './focus.ts';
import { formatImagePath, type ImagePath } from './image-path.ts';
import { formatParameters, type ImageRequest } from './parameters.ts';
import { type Source, toSource } from './plan.ts';
import { openKept, openRendered } from './rendition.ts';
import { versionOf } from './version.ts';

/** The best format that a client accepts by name; `basic`: neither AVIF nor WebP. */
export type Preference = 'avif' | 'webp' | 'basic';

/** Thrown if a rendition has a new path, because its image has changed since its URL was created. */
export class ImageMovedError extends Error {
  override readonly name = 'ImageMovedError';
  readonly path: string;
  readonly isPrivate: boolean;

  constructor(path: string, isPrivate: boolean) {
    super('The rendition has another path.');
    this.path = path;
    this.isPrivate = isPrivate;
  }
}

/**
 * Opens the rendition at a path that this server has made; null if there is no such file for the viewer: see `findFileAt`.
 * The path of a private image must have an expiry. Throws ImageMovedError if the version, name or visibility of the image has
 * changed: a page with the old URL is redirected, and no cache keeps the new image under the old URL. Opens an image that
 * cannot be rendered as it is. Throws ServerBusyError, FileGoneError.
 *
 * A job renders AVIF. Until then, WebP is returned.
 */
export async function openImage(
  ctx: Context,
  path: ImagePath,
  preference: Preference,
): Promise<OpenedFile | null> {
  const { dir, name, expiryHour } = path;
  const file = await findFileAt(ctx, dir, name, { isSigned: expiryHour !== null });
  if (file === undefined) return null;
  const source = toSource({ ...file, mimeType: file.mime_type });
  const expiry = isPrivate(file) ? (expiryHour ?? expiryHourForNow(ctx)) : null;
  if (source === null) throw movedToFile(ctx, { dir, file, expiry });
  const focus = await focusOf(ctx, file.media_id);
  const { request } = canonicalRequest(path.request, source, focus);
  const version = versionOf(file.md5, focus);
  const present = { dir, name: file.url_name, version, request, expiryHour: expiry };
  if (!isSamePath(present, path)) {
    throw new ImageMovedError(formatImagePath(ctx, present), isPrivate(file));
  }
  // A damaged file has no renditions: `read` throws DamagedFileError.
  if (file.damaged_at !== null) return openRow(ctx, file);
  return openFormat(ctx, file, { request, source, focus, version, preference });
}

function movedToFile(
  ctx: Context,
  { dir, file, expiry }: { dir: string; file: SentFileRow; expiry: number | null },
): ImageMovedError {
  const path = `/media/${dir}/${file.url_name}`;
  const signed = expiry === null ? path : signPathUntilHour(ctx, path, expiry);
  return new ImageMovedError(signed, isPrivate(file));
}

function isSamePath(a: ImagePath, b: ImagePath): boolean {
  const isSamePlace = a.name === b.name && a.version === b.version;
  return isSamePlace && formatParameters(a) === formatParameters(b);
}

interface Wanted {
  request: ImageRequest;
  source: Source;
  focus: Focus;
  version: string;
  preference: Preference;
}

async function openFormat(ctx: Context, file: SentFileRow, wanted: Wanted): Promise<OpenedFile> {
  const { request, source, focus } = wanted;
  const { format, isFinal } =
    request.format === 'auto' ? bestFormat(file, wanted) : { ...request, isFinal: true };
  if (format === 'avif') return openAvif(ctx, file, wanted);
  const rendered = await openRendered(ctx, file, planOf({ ...request, format }, source, focus));
  if (rendered === null) return openRow(ctx, file);
  return { ...rendered, lifetime: isFinal ? 'forever' : 'brief' };
}

/** Returns the format for `auto`. It is not final if it depends on traits that a job has not determined yet. */
function bestFormat(
  { has_alpha, is_animated }: SentFileRow,
  { source, preference }: Pick<Wanted, 'source' | 'preference'>,
): { format: RenderFormat; isFinal: boolean } {
  if (preference !== 'basic') return { format: preference, isFinal: true };
  const traits = { hasAlpha: toBoolean(has_alpha), isAnimated: toBoolean(is_animated) };
  const format = basicFormat(source, traits);
  return { format, isFinal: has_alpha !== null || `image/${format}` === source.mimeType };
}

async function openAvif(
  ctx: Context,
  file: SentFileRow,
  { request: { format: _, ...request }, source, focus, version }: Wanted,
): Promise<OpenedFile> {
  const wanted = { ...request, format: 'avif' } as const;
  const plan = planOf(wanted, source, focus);
  const kept = await openKept(ctx, file, plan);
  if (kept !== null) return { ...kept, lifetime: 'forever' };
  const substitute = planOf({ ...request, format: 'webp' }, source, focus);
  const rendered = await openRendered(ctx, file, substitute);
  if (rendered === null) return openRow(ctx, file);
  // The job keeps WebP if the AVIF is larger than the cache.
  if (rendered.file.sizeBytes <= ctx.settings.renditionCacheBytesMax) {
    await requestAvif(ctx, file, { request: wanted, version, plan });
  }
  return { ...rendered, lifetime: 'brief' };
}
