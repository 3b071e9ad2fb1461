import { InvalidInputError } from '../../../domain/error.ts';
import type { LINK_TYPES, LinkInput } from '../../../domain/tree/link.ts';
import { isPageType, type Media } from '../../../domain/tree/media.ts';
import { type Fields, nullable, object, readFields, text } from '../field.ts';

type LinkType = (typeof LINK_TYPES)[number];

/** Contract §2.3: values of `embed_type` that only the server may set. */
const RESERVED = ['sc_link', 'sc_shared_object', 'sc_shared_event', 'sc_vimeo'];

/**
 * Returns the body of `POST /media/` for the domain. Throws InvalidInputError for the faults that
 * only this dialect knows.
 */
export function toLinkInput(type: LinkType | undefined, fields: Fields): LinkInput {
  const { title, description } = readFields(fields, TEXT_FIELDS);
  // The domain checks whether there is a type.
  const link = { type: type as LinkType, title, description };
  if (type === 'share') return { ...link, ...toShare(fields) };
  if (type === 'embed') return { ...link, ...toEmbed(fields) };
  const { url } = readFields(fields, { url: ['url', text] });
  if (url === '') throw InvalidInputError.of('url', 'BLANK', '');
  return { ...link, url };
}

const TEXT_FIELDS = {
  title: ['title', nullable(text)],
  description: ['description', nullable(text)],
} as const;

/** Reads an embed. Contract §8 row 10: nested, as the SDK sends it, or flat, as in the first documents. */
function toEmbed(fields: Fields): Partial<LinkInput> {
  const { embed } = readFields(fields, { embed: ['embed', nullable(object)] });
  const source: Fields = embed ? new Map(Object.entries(embed)) : fields;
  const { embedUrl, ...rest } = readFields(source, EMBED_FIELDS);
  const { embedType } = rest;
  if (embedType !== undefined && RESERVED.includes(embedType)) {
    const message = `"${embedType}" is a reserved embed type.`;
    throw InvalidInputError.of('embed_type', 'INVALID', message);
  }
  return { ...rest, embedUrl: embedUrl || toOuterUrl(fields) };
}

const EMBED_FIELDS = {
  embedType: ['embed_type', text],
  embedId: ['embed_id', text],
  embedUrl: ['url', nullable(text)],
  embedMetadata: ['metadata', nullable(object)],
} as const;

/** Returns the address beside a nested embed. A form sends empty fields as well. */
function toOuterUrl(fields: Fields): string | null {
  return readFields(fields, { url: ['url', nullable(text)] }).url || null;
}

/**
 * Reads a share. Contract §2.3: the id of a contribution, or of an event. The SDK's type has a name for it that its UI
 * does not send.
 */
function toShare(fields: Fields): Partial<LinkInput> {
  const { shared, misnamed, event } = readFields(fields, SHARE_FIELDS);
  const object = shared || misnamed;
  if (object) return shareOf('sc_shared_object', object);
  if (event) return shareOf('sc_shared_event', event);
  throw InvalidInputError.of('shared_object', 'REQUIRED', '');
}

const SHARE_FIELDS = {
  shared: ['shared_object', nullable(text)],
  misnamed: ['share_object', nullable(text)],
  event: ['event_object', nullable(text)],
} as const;

/** Returns an embed that holds only the id of the shared object: nothing else is known here. */
function shareOf(embedType: string, embedId: string): Partial<LinkInput> {
  const id = /^\d{1,15}$/.test(embedId) ? Number(embedId) : embedId;
  return { embedType, embedId, embedMetadata: { id } };
}

/** `embed` on the wire. */
export interface EmbedBody {
  id: number;
  embed_type: string;
  embed_id: string;
  url: string | null;
  metadata: object;
}

/**
 * Returns the embed of a media item. Contract §3: a link has an `embed` too, whose `metadata` the user interface reads
 * unchecked. It holds the known metadata of the page, and at first its address only.
 */
export function toEmbedBody(media: Media): EmbedBody | null {
  const { id, type, embed, url } = media;
  if (url !== null && isPageType(type)) {
    const embed_type = type === 'url' ? 'sc_link' : 'sc_vimeo';
    return {
      id,
      embed_type,
      embed_id: embed?.id ?? String(id),
      url,
      metadata: linkMetadata(media),
    };
  }
  if (embed === null) return null;
  return {
    id,
    embed_type: embed.type,
    embed_id: embed.id,
    url: embed.url,
    metadata: embed.metadata,
  };
}

function linkMetadata(media: Media): object {
  const { type, url, title, description, imageUrl, choiceImages, oembed, embed } = media;
  // The user interface shows `image` if `images` is not empty.
  const images = imageUrl === null ? [] : [...new Set([imageUrl, ...choiceImages])];
  return {
    ...embed?.metadata,
    // The user interface parses it as a URL, and fails for anything else.
    url,
    title: title ?? url,
    description: description ?? '',
    images,
    type: oembed?.type ?? (type === 'vimeo' ? 'video' : 'link'),
  };
}
