import type { NodeRow } from '../../store/table.ts';
import * as store from '../../store/tree/media.ts';
import type { Context } from '../context.ts';
import { scopeOf } from '../viewer/access.ts';
import { type NodeFields, toNodeFields } from './node.ts';

/** Every type of node but `folder`: stored files, then links. */
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

/** Media that are a page elsewhere, which can say what it is. */
export const PAGE_TYPES: readonly string[] = ['url', 'vimeo'] satisfies MediaType[];

/** A stored file, or a link to what is elsewhere. */
export interface Media extends NodeFields {
  type: MediaType;
  title: string | null;
  description: string | null;
  keywords: string | null;
  /** Of the linked page; null for what is a stored file. */
  url: string | null;
  /** Of a linked picture; null for a stored one. */
  imageUrl: string | null;
  imageWidth: number | null;
  imageHeight: number | null;
  /** What of another system it stands for; null for what is none. */
  embed: Embed | null;
  /** What the provider of the link said of it; null until it has been asked. */
  oembed: OEmbed | null;
  /** Pictures that the page of a link names, of which one is its own. */
  choiceImages: string[];
  /** The part of the picture that matters, as fractions of its size; null: never set. */
  focalPoint: { left: number; top: number } | null;
  crops: Crop[];
  /** Heartcore's name of the type that it was made as there; null: made on another road. */
  mediaTypeAlias: string | null;
  /** `Viewer.id` of the creator; null: anonymous. */
  owner: string | null;
  isPublic: boolean;
}

/** Something of another system. */
export interface Embed {
  type: string;
  id: string;
  url: string | null;
  /** As given. */
  metadata: Record<string, unknown>;
}

/** https://oembed.com, §2.3.4. */
export interface OEmbed {
  type: string;
  url: string | null;
  width: number | null;
  height: number | null;
  durationSeconds: number | null;
  html: string | null;
}

/** A cut of a picture that has a name; coordinates are fractions to cut off at each side. */
export interface Crop {
  alias: string;
  width: number;
  height: number;
  coordinates?: { x1: number; y1: number; x2: number; y2: number } | null | undefined;
}

/** Exactly one of these. */
export type MediaBy = { id: number } | { uuid: string } | { resource: string };

/** The media, or null if there is none that the viewer may see. */
export async function findMedia(ctx: Context, by: MediaBy): Promise<Media | null> {
  const row = await findRow(ctx, by);
  return row ? toMedia(row) : null;
}

/** Those of the media that there are and that the viewer may see, unordered. */
export async function mediasByIds(ctx: Context, ids: readonly number[]): Promise<Media[]> {
  return (await store.listMediasByIds(ctx.db, scopeOf(ctx), ids)).map(toMedia);
}

function findRow(ctx: Context, by: MediaBy): Promise<NodeRow | undefined> {
  const scope = scopeOf(ctx);
  if ('id' in by) return store.findMediaById(ctx.db, scope, by.id);
  if ('uuid' in by) return store.findMediaByUuid(ctx.db, scope, by.uuid.toLowerCase());
  return store.findMediaByResource(ctx.db, scope, by.resource);
}

/** A row of a media, as the domain has it. */
export function toMedia(row: NodeRow): Media {
  return {
    ...toNodeFields(row),
    type: row.type as MediaType,
    title: row.title,
    description: row.description,
    keywords: row.keywords,
    url: row.url,
    imageUrl: row.image_url,
    imageWidth: row.image_width,
    imageHeight: row.image_height,
    embed: toEmbed(row),
    oembed: toOEmbed(row),
    choiceImages: toChoiceImages(row),
    focalPoint: parseJson<Media['focalPoint']>(row.focal_point) ?? null,
    crops: parseJson<Crop[]>(row.crops) ?? [],
    mediaTypeAlias: row.media_type_alias,
    owner: row.owner,
    isPublic: row.is_public === 1,
  };
}

function toEmbed(row: NodeRow): Embed | null {
  if (row.embed_type === null || row.embed_id === null) return null;
  const metadata = parseJson<Embed['metadata']>(row.embed_metadata) ?? {};
  return { type: row.embed_type, id: row.embed_id, url: row.embed_url, metadata };
}

/** What its owner has given as metadata of a link may be anything. */
function toChoiceImages({ type, embed_metadata }: NodeRow): string[] {
  const images = PAGE_TYPES.includes(type) && parseJson<Embed['metadata']>(embed_metadata)?.images;
  if (!Array.isArray(images)) return [];
  return images.filter(
    (url) => typeof url === 'string' && /^https?:\/\//.test(url) && URL.canParse(url),
  );
}

function toOEmbed(row: NodeRow): OEmbed | null {
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

/** The store holds only what an operation has checked. */
function parseJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
