import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { NoImageError, PreviewError } from '../../media/preview/decoder.ts';
import type { Preview } from '../../media/preview/draw-file.ts';
import {
  type FileOfMediaRow,
  findFileByKey,
  findFileByUuid,
  listFilesByMediaIds,
} from '../../store/file/file.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { UnsupportedMediaError } from '../error.ts';
import { mediaUpdate } from '../event/event.ts';
import { FileGoneError } from '../file/file.ts';
import { type MadeBytes, storeMadeBytes } from '../file/made-bytes.ts';
import { existing } from '../viewer/access.ts';
import { insertDerivedFile, PREVIEW } from './derived-file.ts';
import { toSource } from './plan.ts';
import { createThumbnail } from './thumbnail.ts';

/**
 * Draws the preview of an original that browsers cannot show, as a file of the same media item, and creates a thumbnail
 * from it, unless they exist. Does nothing if the file has been deleted, is not an original, is an image that the server
 * renders, or has no decoder that can draw it. May be repeated after a crash at any point: the sweep deletes bytes without a
 * row. Throws UnsupportedMediaError for a file that cannot be drawn, whose reason `Media.previewError` returns;
 * FileGoneError if its bytes are lost, the reason of `signal`, and an Error if the decoder crashes.
 */
export async function drawPreview(
  ctx: Context,
  fileUuid: string,
  signal?: AbortSignal,
): Promise<void> {
  const original = await findFileByUuid(ctx.db, existing(ctx), fileUuid);
  if (original === undefined || original.key !== '' || isImage(original)) return;
  const decoder = ctx.decoders.decoderNameOf(original.mime_type);
  if (decoder === null) return;
  if (!(await hasPreview(ctx, original))) {
    if (!(await ctx.decoders.isAvailable(original.mime_type))) return;
    if (original.damaged_at !== null) throw new FileGoneError(original);
    const preview = await draw(ctx, original, decoder, signal);
    if (preview === null) return;
    signal?.throwIfAborted();
    const made = await storeMadeBytes(ctx, preview.bytes);
    const isInserted = await transact(ctx, (ctx) => insert(ctx, original, { preview, made }));
    if (!isInserted) await ctx.blobs.delete(made.blobKey);
  }
  const drawn = await findFileByKey(ctx.db, existing(ctx), original.media_id, PREVIEW);
  if (drawn !== undefined) await createThumbnail(ctx, drawn.uuid, signal);
}

function isImage(file: FileOfMediaRow): boolean {
  return toSource({ ...file, mimeType: file.mime_type }) !== null;
}

async function hasPreview(ctx: Context, { media_id }: FileOfMediaRow): Promise<boolean> {
  return (await findFileByKey(ctx.db, existing(ctx), media_id, PREVIEW)) !== undefined;
}

/** Returns null if the file contains no image, or has been deleted or replaced. A replacement has a job of its own. */
async function draw(
  ctx: Context,
  original: FileOfMediaRow,
  decoder: string,
  signal: AbortSignal | undefined,
): Promise<Preview | null> {
  const mimeType = original.mime_type;
  try {
    return await ctx.blobs.withLocalFile(original.blob_key, (path) =>
      ctx.previewer.draw({ path, mimeType, decoder }, signal),
    );
  } catch (cause) {
    if (cause instanceof BlobNotFoundError) {
      const current = await findFileByUuid(ctx.db, existing(ctx), original.uuid);
      if (current?.blob_key === original.blob_key) throw new FileGoneError(original, { cause });
      return null;
    }
    signal?.throwIfAborted();
    const isFinal = cause instanceof PreviewError;
    const reason = isFinal ? cause.message : 'The decoder of the file has crashed.';
    await transact(ctx, (ctx) => noteFailure(ctx, original, reason));
    // Most sounds have no cover: the job succeeds.
    if (cause instanceof NoImageError) return null;
    throw isFinal ? new UnsupportedMediaError(mimeType, reason, { cause }) : cause;
  }
}

/** Returns the media item, locked; null if it has been deleted, or its original has been replaced. */
async function lockCurrent(ctx: Context, { media_id, uuid, blob_key }: FileOfMediaRow) {
  await lockNode(ctx.db, media_id);
  const current = await findFileByUuid(ctx.db, existing(ctx), uuid);
  const media = await findMediaById(ctx.db, existing(ctx), media_id);
  return media === undefined || current?.blob_key !== blob_key ? null : media;
}

async function noteFailure(ctx: Context, original: FileOfMediaRow, reason: string): Promise<void> {
  const media = await lockCurrent(ctx, original);
  if (media === null || media.preview_error === reason) return;
  await updateNode(ctx.db, existing(ctx), media.id, { preview_error: reason });
  ctx.events.publish(mediaUpdate(media, 'preview'));
}

interface Drawn {
  preview: Preview;
  made: MadeBytes;
}

/** Inserts the row; returns false if the original has changed, or if a preview exists by now. */
async function insert(
  ctx: Context,
  original: FileOfMediaRow,
  { preview, made }: Drawn,
): Promise<boolean> {
  const media = await lockCurrent(ctx, original);
  if (media === null) return false;
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [media.id]);
  if (files.some(({ key }) => key === PREVIEW)) return false;
  await insertDerivedFile(ctx, original, { name: PREVIEW, image: preview, made });
  await updateNode(ctx.db, existing(ctx), media.id, {
    preview_error: null,
    ...withPageCount(media.details, preview.pageCount),
  });
  ctx.events.publish(mediaUpdate(media, 'preview'));
  return true;
}

/** Returns the details with a number of pages, if they have been read and say none. */
function withPageCount(details: string | null, pageCount: number | undefined) {
  if (details === null || pageCount === undefined) return {};
  return { details: JSON.stringify({ pageCount, ...(JSON.parse(details) as object) }) };
}
