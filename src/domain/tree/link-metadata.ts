import { removeInvisible, toNfc } from '../../lib/name.ts';
import type { NodeColumns, NodeRow } from '../../store/table.ts';
import { findMediaByUuid } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { mediaEvent } from '../event/event.ts';
import { webUrl } from '../input.ts';
import { existing } from '../viewer/access.ts';
import { isPageType, type OEmbed } from './media.ts';

/** An image of a page, with its size if the page gives it. */
export interface LinkImage {
  url: string;
  width: number | null;
  height: number | null;
}

/** The metadata that a page and its provider give. */
export interface LinkMetadata {
  title: string | null;
  description: string | null;
  /** The first image is the one to show. */
  images: readonly LinkImage[];
  oembed: OEmbed | null;
}

/**
 * Fills the empty fields of a link with the metadata of its page; fields that its owner has set stay, also if they
 * were set meanwhile. A second call changes nothing. Does nothing if the media item has been deleted.
 */
export async function describeLink(
  ctx: Context,
  mediaUuid: string,
  metadata: LinkMetadata,
): Promise<void> {
  await transact(ctx, async (ctx) => {
    const found = await findMediaByUuid(ctx.db, existing(ctx), mediaUuid);
    if (found === undefined) return;
    await lockNode(ctx.db, found.id);
    const row = await findMediaByUuid(ctx.db, existing(ctx), mediaUuid);
    if (row === undefined || !isPageType(row.type)) return;
    const columns = missingColumns(row, metadata);
    if (Object.keys(columns).length === 0) return;
    await updateNode(ctx.db, existing(ctx), row.id, { ...columns, updated_at: ctx.clock() });
    ctx.events.publish(mediaEvent('updated', row));
  });
}

/** Maximum number of images: as many as a person can choose from. */
const IMAGES_MAX = 10;
const HTML_LENGTH_MAX = 10_000;

function missingColumns(row: NodeRow, metadata: LinkMetadata): NodeColumns {
  const isWeb = ({ url }: { url: string }) => webUrl.safeParse(url).success;
  const byUrl = new Map(metadata.images.filter(isWeb).map((image) => [image.url, image]));
  const images = [...byUrl.values()].slice(0, IMAGES_MAX);
  const title = toLine(metadata.title, 255);
  const description = toProse(metadata.description, 2000);
  const urls = images.map(({ url }) => url);
  return {
    ...(row.title === null && title !== null && { title }),
    ...(row.description === null && description !== null && { description }),
    ...(row.image_url === null && toImageColumns(images[0])),
    ...(row.oembed_type === null && metadata.oembed !== null && toOEmbedColumns(metadata.oembed)),
    ...(row.embed_metadata === null &&
      urls.length > 0 && { embed_metadata: JSON.stringify({ images: urls }) }),
  };
}

function toImageColumns(image: LinkImage | undefined): NodeColumns {
  if (image === undefined) return {};
  const { url, width, height } = image;
  const isSized = width !== null && height !== null && width > 0 && height > 0;
  return { image_url: url, ...(isSized && { image_width: width, image_height: height }) };
}

function toOEmbedColumns({ type, url, width, height, durationSeconds, html }: OEmbed): NodeColumns {
  return {
    oembed_type: type,
    oembed_url: url !== null && webUrl.safeParse(url).success ? url : null,
    oembed_width: width,
    oembed_height: height,
    oembed_duration: durationSeconds,
    oembed_html: html !== null && html.length <= HTML_LENGTH_MAX ? html : null,
  };
}

function toLine(text: string | null, charactersMax: number): string | null {
  if (text === null) return null;
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 4 * charactersMax);
  return toProse(removeInvisible(line), charactersMax);
}

/** Cleans text of another site: removes characters that a database or a page cannot hold, and cuts long text. */
function toProse(text: string | null, charactersMax: number): string | null {
  // Long runs of combining marks take quadratic time.
  const clean = toNfc((text ?? '').trim().slice(0, 4 * charactersMax))
    .replace(/(?![\n\t])\p{Cc}/gu, '')
    .trim();
  const characters = [...clean];
  const isLong = characters.length > charactersMax;
  const cut = isLong ? `${characters.slice(0, charactersMax - 1).join('')}…` : clean;
  return cut === '' ? null : cut;
}
