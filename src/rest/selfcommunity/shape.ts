import { InvalidInputError } from '../../domain/error.ts';
import { type File, originalAmong } from '../../domain/file/file.ts';
import { THUMBNAIL } from '../../domain/rendition/thumbnail.ts';
import type { Media, OEmbed } from '../../domain/tree/media.ts';
import type { UploadSession } from '../../domain/upload/session.ts';
import type { ToUrl } from '../../http/absolute-url.ts';
import type { Fields } from './field.ts';
import { toEmbedBody } from './link.ts';

/** Contract §2.2: types that an upload can have in this dialect. */
export const UPLOAD_TYPES = ['image', 'eimage', 'doc'] as const;
type UploadType = (typeof UPLOAD_TYPES)[number];

/**
 * Returns an upload session. Contract §2.1: `offset` is a string here, and a number in the error of
 * a wrong one.
 */
export function toSessionBody({ uploadId, offsetBytes, expiresAt }: UploadSession) {
  return { upload_id: uploadId, offset: String(offsetBytes), expires: expiresAt.toISOString() };
}

/**
 * Returns a media item. Contract §3: one object for all types, with its keys in this order. `files`
 * are empty for a link.
 */
export function toMediaBody(media: Media, files: readonly File[], toUrl: ToUrl) {
  const file = originalAmong(files);
  const isImage = file !== null && file.width !== null;
  const fileUrl = file && toUrl(file.urlPath);
  return {
    id: media.id,
    hash_code: media.uuid,
    added_at: media.createdAt.toISOString(),
    type: media.type,
    title: media.title ?? titleOf(media, file),
    description: media.description,
    url: media.url ?? (isImage ? null : fileUrl),
    keywords: media.keywords,
    entities: null,
    image: media.imageUrl === null ? (isImage ? fileUrl : null) : cssSafe(media.imageUrl),
    image_width: media.imageWidth ?? file?.width ?? null,
    image_height: media.imageHeight ?? file?.height ?? null,
    ...toOEmbedFields(media.oembed),
    order: 0,
    choice_images: media.choiceImages.map(cssSafe),
    ...toEmbedFields(media),
    image_thumbnail: toThumbnailBody(files, toUrl),
    image_mimetype: isImage ? file.mimeType : null,
    mimetype: file?.mimeType ?? null,
    size: file?.sizeBytes ?? null,
  };
}

/** Returns the thumbnail; null until it exists: contract §3. */
function toThumbnailBody(files: readonly File[], toUrl: ToUrl) {
  const thumbnail = files.find(({ key }) => key === THUMBNAIL);
  if (thumbnail === undefined) return null;
  const { urlPath, width, height, color } = thumbnail;
  return { url: toUrl(urlPath), width, height, color };
}

/** Returns the text that clients show for a document (§8 row 19) or a link (§3). */
function titleOf({ type, url }: Media, file: File | null): string | null {
  return type === 'doc' ? (file?.filename ?? null) : type === 'url' ? url : null;
}

/**
 * Escapes a URL: clients put it unquoted into `url(…)`, where each of these characters would end it in CSS (contract
 * §3).
 */
function cssSafe(url: string): string {
  return url.replace(/[\s"'()\\\p{Cc}]/gu, (character) =>
    Buffer.from(character).toString('hex').replace(/../g, '%$&').toUpperCase(),
  );
}

function toOEmbedFields(oembed: OEmbed | null) {
  return {
    oembed_type: oembed?.type ?? null,
    oembed_url: oembed?.url ?? null,
    oembed_width: oembed?.width ?? null,
    oembed_height: oembed?.height ?? null,
    oembed_duration: oembed?.durationSeconds ?? null,
    oembed_html: oembed?.html ?? null,
    oembed_preview_ready: oembed !== null,
    oembed_available: oembed !== null,
  };
}

/** Returns the embed, both flat and nested: contract §8 row 10. */
function toEmbedFields(media: Media) {
  const embed = toEmbedBody(media);
  const { embed_type = null, embed_id = null } = embed ?? {};
  return { embed_type, embed_id, embed };
}

/**
 * Reads a text field. Null if absent or null; numbers become text, as in Django REST framework.
 * Throws InvalidInputError for any other value.
 */
export function toText(fields: Fields, name: string): string | null {
  const value = fields.get(name) ?? null;
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw InvalidInputError.of(name, 'INVALID', 'Not a valid string.');
}

/** Reads the body's `offset`, which no client sends. Null for anything but a count of bytes. */
export function toOffset(value: unknown): number | null {
  const offset = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(offset) ? offset : null;
}

/**
 * Reads the `type` of `complete`; null: the content decides. Contract §2.2: the uploader also sends
 * `document`, `file`, and words that name no type. Throws InvalidInputError for any other.
 */
export function toUploadType(value: unknown): UploadType | null {
  const name = value ?? '';
  if (typeof name === 'string' && NAMES_OF_NO_TYPE.includes(name)) return null;
  const type = name === 'document' ? 'doc' : UPLOAD_TYPES.find((type) => type === name);
  if (type !== undefined) return type;
  const shown = typeof name === 'string' ? name : JSON.stringify(name);
  throw InvalidInputError.of('type', 'INVALID_CHOICE', `"${shown}" is not a valid choice.`);
}

const NAMES_OF_NO_TYPE = ['', 'file', 'undefined', 'null'];

/** The position of a chunk in its file. */
export interface ContentRange {
  startBytes: number;
  sizeBytes: number;
  totalBytes: number;
}

/**
 * Parses `bytes {start}-{end}/{total}`, the end included: contract §1. Null for anything else, and
 * for a range that is empty or exceeds the total.
 */
export function parseContentRange(header: string): ContentRange | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  if (match === null) return null;
  const [start = 0, end = 0, total = 0] = match.slice(1).map(toSafeInteger);
  if (end < start || end >= total) return null;
  return { startBytes: start, sizeBytes: end - start + 1, totalBytes: total };
}

/** Parses an integer. A number too large to be exact exceeds any limit. */
function toSafeInteger(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
