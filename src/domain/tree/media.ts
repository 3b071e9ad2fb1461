import { z } from 'zod';
import { isWebUrl } from '../../lib/web-url.ts';
import { withoutUndefined } from '../../lib/without-undefined.ts';
import type { ProviderEmbed } from '../../outbound/oembed.ts';
import { toVisibility, VISIBILITY } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import * as store from '../../store/tree/media.ts';
import { attributes, type Crop } from '../attribute.ts';
import type { Context } from '../context.ts';
import { webUrl } from '../input.ts';
import { type Metadata, mergeMetadata, parseMetadata } from '../metadata.ts';
import { column, computed, createRowReader, type Only, type RowReader } from '../row-reader.ts';
import { scopeOf } from '../viewer/access.ts';
import { type MediaDetails, toDetails } from './media-details.ts';
import { NODE_FIELDS, type NodeFields } from './node.ts';
import { type Visibility, visibilityInput } from './visibility.ts';

/** Every type of node except `folder`: stored files, then links. */
export const MEDIA_TYPES = [
  'image',
  'eimage',
  'doc',
  'file',
  'video',
  'audio',
  'vector',
  'vimeo',
  'url',
  'embed',
  'share',
] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** Tells whether media of a type link to a page elsewhere, whose image and metadata they show. */
export function isPageType(type: string): boolean {
  return type === 'url' || type === 'vimeo';
}

/** A stored file, or a link to something elsewhere. */
export interface Media extends NodeFields {
  type: MediaType;
  title: string | null;
  description: string | null;
  keywords: string | null;
  /** What to say instead of showing it. */
  altText: string | null;
  caption: string | null;
  credit: string | null;
  /** The custom fields. */
  metadata: Metadata;
  /** URL of the linked page; null for a stored file. */
  url: string | null;
  /** URL of a linked image; null for a stored image. */
  imageUrl: string | null;
  imageWidth: number | null;
  imageHeight: number | null;
  /** The object in another system that it stands for; null for every other media item. */
  embed: Embed | null;
  /** The oEmbed response of the link's provider; null until it has been fetched. */
  oembed: OEmbed | null;
  /** Images that the linked page names; its owner may choose one of them. */
  choiceImages: string[];
  /** The most important point of the image, as fractions of its size; null: never set. */
  focalPoint: { left: number; top: number } | null;
  crops: Crop[];
  /** What its original says of itself; null: not read yet, or no original. Not all viewers may see all of it. */
  details: MediaDetails | null;
  /** Why no preview of its original could be drawn; null: no attempt has failed. */
  previewError: string | null;
  /** Heartcore's name of the type that it was created with; null: created in another dialect. */
  mediaTypeAlias: string | null;
  visibility: Visibility;
  /** Whether the visibility is `public`. */
  isPublic: boolean;
}

/** A reference to an object in another system. */
export interface Embed {
  type: string;
  id: string;
  url: string | null;
  /** Stored as given. */
  metadata: Record<string, unknown>;
}

/** The oEmbed data of a linked page, as its provider sent them. */
export type OEmbed = ProviderEmbed;

/**
 * The fields of a media item that clients can set, all optional; null clears a field that can be empty. Every operation
 * that creates or changes media picks from them.
 */
export const mediaInput = z.object({
  name: attributes.name.optional(),
  sortOrder: attributes.sortOrder.optional(),
  title: attributes.title.nullish(),
  description: attributes.description.nullish(),
  keywords: attributes.keywords.nullish(),
  altText: attributes.altText.nullish(),
  caption: attributes.caption.nullish(),
  credit: attributes.credit.nullish(),
  metadata: attributes.metadata.nullish(),
  imageUrl: webUrl.nullish(),
  visibility: visibilityInput.optional(),
  isPublic: z.boolean().optional(),
  focalPoint: attributes.focalPoint.nullish(),
  crops: attributes.crops.nullish(),
});

type MediaFields = z.output<typeof mediaInput>;

/**
 * Returns the columns of the given fields, but for the visibility; null for a field that is never empty counts as not
 * given. `before`: the row that they change. Throws InvalidInputError if that one then has too much metadata.
 */
export function mediaColumns(
  input: {
    [Field in keyof MediaFields]: MediaFields[Field] | null;
  },
  before: Pick<NodeRow, 'metadata'> = { metadata: null },
) {
  return withoutUndefined({
    name: input.name ?? undefined,
    sort_order: input.sortOrder ?? undefined,
    title: input.title,
    description: input.description,
    keywords: input.keywords,
    alt_text: input.altText,
    caption: input.caption,
    credit: input.credit,
    metadata:
      input.metadata === undefined ? undefined : mergeMetadata(before.metadata, input.metadata),
    image_url: input.imageUrl,
    focal_point: toJson(input.focalPoint),
    crops: toJson(input.crops),
  });
}

/** The columns of the fields that clients can set. */
export type MediaColumns = ReturnType<typeof mediaColumns>;

/** A key of a media item: exactly one of the fields. */
export type MediaBy = { id: number } | { uuid: string } | { resource: string };

/** Returns the media item, or null if none exists that the viewer may see. */
export async function findMedia(
  ctx: Context,
  by: MediaBy,
  only?: Only<Media>,
): Promise<Media | null> {
  if (only !== undefined && 'id' in by) {
    const { columns, convert } = MEDIA.part(only);
    const some = await store.findMediaById(ctx.db, scopeOf(ctx), by.id, columns);
    return some ? convert(some) : null;
  }
  const row = await findRow(ctx, by);
  return row ? toMedia(row) : null;
}

/** Returns those of the media that exist and that the viewer may see, unordered. */
export async function mediasByIds(ctx: Context, ids: readonly number[]): Promise<Media[]> {
  return (await store.listMediasByIds(ctx.db, scopeOf(ctx), ids)).map(toMedia);
}

const OEMBED_COLUMNS = [
  'oembed_type',
  'oembed_url',
  'oembed_width',
  'oembed_height',
  'oembed_duration',
  'oembed_html',
] as const;

/** The reader of media. */
export const MEDIA: RowReader<NodeRow, Media> = createRowReader<NodeRow, Media>({
  ...NODE_FIELDS,
  type: computed(['type'], (row) => row.type as MediaType),
  title: column('title'),
  description: column('description'),
  keywords: column('keywords'),
  altText: column('alt_text'),
  caption: column('caption'),
  credit: column('credit'),
  // A row that went into the trash before the column existed has none.
  metadata: computed(['metadata'], ({ metadata }) => parseMetadata(metadata ?? null)),
  url: column('url'),
  imageUrl: column('image_url'),
  imageWidth: column('image_width'),
  imageHeight: column('image_height'),
  embed: computed(['embed_type', 'embed_id', 'embed_url', 'embed_metadata'], toEmbed),
  oembed: computed(OEMBED_COLUMNS, toOEmbed),
  choiceImages: computed(['type', 'embed_metadata'], toChoiceImages),
  focalPoint: computed(
    ['focal_point'],
    (row) => parseJson<Media['focalPoint']>(row.focal_point) ?? null,
  ),
  crops: computed(['crops'], (row) => parseJson<Crop[]>(row.crops) ?? []),
  details: computed(['details'], toDetails),
  previewError: computed(['preview_error'], (row) => row.preview_error ?? null),
  mediaTypeAlias: column('media_type_alias'),
  visibility: computed(['is_public'], (row) => toVisibility(row.is_public)),
  isPublic: computed(['is_public'], (row) => row.is_public === VISIBILITY.public),
});

/** Converts a row of a media item. */
export const toMedia: (row: NodeRow) => Media = MEDIA.toObject;

function findRow(ctx: Context, by: MediaBy): Promise<NodeRow | undefined> {
  const scope = scopeOf(ctx);
  if ('id' in by) return store.findMediaById(ctx.db, scope, by.id);
  if ('uuid' in by) return store.findMediaByUuid(ctx.db, scope, by.uuid);
  return store.findMediaByResource(ctx.db, scope, by.resource);
}

type EmbedColumns = Pick<NodeRow, 'embed_type' | 'embed_id' | 'embed_url' | 'embed_metadata'>;

function toEmbed(row: EmbedColumns): Embed | null {
  if (row.embed_type === null || row.embed_id === null) return null;
  const metadata = parseJson<Embed['metadata']>(row.embed_metadata) ?? {};
  return { type: row.embed_type, id: row.embed_id, url: row.embed_url, metadata };
}

// An owner may have given any value as `images` of a link's metadata.
function toChoiceImages({
  type,
  embed_metadata,
}: Pick<NodeRow, 'type' | 'embed_metadata'>): string[] {
  const images = isPageType(type) && parseJson<Embed['metadata']>(embed_metadata)?.images;
  if (!Array.isArray(images)) return [];
  return images.filter((url) => typeof url === 'string' && isWebUrl(url));
}

function toOEmbed(row: Pick<NodeRow, (typeof OEMBED_COLUMNS)[number]>): OEmbed | null {
  if (row.oembed_type === null) return null;
  return {
    type: row.oembed_type,
    url: row.oembed_url,
    width: row.oembed_width,
    height: row.oembed_height,
    durationSeconds: row.oembed_duration,
    html: row.oembed_html,
  };
}

// The store holds only JSON that an operation has checked.
function parseJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

function toJson(value: object | null | undefined): string | null | undefined {
  return value ? JSON.stringify(value) : value;
}
