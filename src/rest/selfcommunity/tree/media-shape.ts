import { type File, originalAmong } from '../../../domain/file/file.ts';
import { THUMBNAIL } from '../../../domain/rendition/kept-image.ts';
import type { Media, OEmbed } from '../../../domain/tree/media.ts';
import type { ToUrl } from '../../../http/absolute-url.ts';
import {
  date,
  flag,
  integer,
  integerOrNull,
  type Schema,
  text,
  textOrNull,
} from '../json-schema.ts';
import { toEmbedBody } from './link.ts';

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

/** The schema of each property of a media item: contract §3, the superset, in its order. */
export const MEDIA_PROPERTIES = {
  id: integer,
  hash_code: { type: 'string', format: 'uuid' },
  added_at: date,
  type: text,
  title: textOrNull,
  description: textOrNull,
  url: textOrNull,
  keywords: textOrNull,
  entities: { type: 'null' },
  image: textOrNull,
  image_width: integerOrNull,
  image_height: integerOrNull,
  oembed_type: textOrNull,
  oembed_url: textOrNull,
  oembed_width: integerOrNull,
  oembed_height: integerOrNull,
  oembed_duration: integerOrNull,
  oembed_html: textOrNull,
  oembed_preview_ready: flag,
  oembed_available: flag,
  order: integer,
  choice_images: { type: 'array' },
  embed_type: textOrNull,
  embed_id: textOrNull,
  embed: { anyOf: [{ $ref: '#/components/schemas/Embed' }, { type: 'null' }] },
  image_thumbnail: {
    type: ['object', 'null'],
    description: 'Null until the server has created it, soon after the upload.',
    properties: { url: text, width: integer, height: integer, color: textOrNull },
    required: ['url', 'width', 'height', 'color'],
  },
  image_mimetype: textOrNull,
  mimetype: textOrNull,
  size: integerOrNull,
} satisfies Record<keyof ReturnType<typeof toMediaBody>, Schema>;

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
