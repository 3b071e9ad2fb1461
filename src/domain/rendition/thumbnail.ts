import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { BrokenImageError, ImageTooLargeError } from '../../media/probe.ts';
import type { Color } from '../../media/render.ts';
import type { ColoredImage } from '../../media/rendition/render-work.ts';
import { listUrlNames } from '../../store/file/address.ts';
import {
  type FileOfMediaRow,
  findFileByUuid,
  insertFile,
  listFilesByMediaIds,
} from '../../store/file/file.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { UnsupportedMediaError } from '../error.ts';
import { mediaUpdate } from '../event/event.ts';
import { FileGoneError } from '../file/file.ts';
import { type MadeBytes, storeMadeBytes } from '../file/made-bytes.ts';
import { freeUrlName } from '../file/url-name.ts';
import { existing } from '../viewer/access.ts';
import { PREVIEW, PROCESSOR } from './derived-file.ts';
import { planThumbnail, toSource } from './plan.ts';

/** The key and file name of a thumbnail. */
export const THUMBNAIL = 'thumbnail.webp';

/** The longest side of a thumbnail, in pixels. */
const THUMBNAIL_SIDE = 320;

/** Longer than for a rendition: no request waits for it, and requests may leave it a tenth of the processor. */
const TIMEOUT_MS = 120_000;

/**
 * Creates the thumbnail of an image, as a file of the same media item, unless it exists. Does nothing if the file is
 * not an image, neither an original nor the preview of one, or deleted. May be repeated after a crash at any point: the sweep deletes bytes
 * without a row. Throws UnsupportedMediaError for an image that cannot be read, FileGoneError if its bytes are lost,
 * and the reason of `signal`.
 */
export async function createThumbnail(
  ctx: Context,
  fileUuid: string,
  signal?: AbortSignal,
): Promise<void> {
  const original = await findFileByUuid(ctx.db, existing(ctx), fileUuid);
  if (original === undefined || (original.key !== '' && original.key !== PREVIEW)) return;
  if (original.damaged_at !== null) throw new FileGoneError(original);
  const source = toSource({ ...original, mimeType: original.mime_type });
  if (source === null || (await hasThumbnail(ctx, original))) return;
  const image = await render(ctx, original, source);
  if (image === null) return;
  signal?.throwIfAborted();
  const made = await storeMadeBytes(ctx, image.bytes);
  const isInserted = await transact(ctx, (ctx) => insert(ctx, original, { image, made }));
  if (!isInserted) await ctx.blobs.delete(made.blobKey);
}

async function hasThumbnail(ctx: Context, { media_id }: FileOfMediaRow): Promise<boolean> {
  return (await listFilesByMediaIds(ctx.db, existing(ctx), [media_id])).some(
    ({ key }) => key === THUMBNAIL,
  );
}

/** Returns null if the file has been deleted or replaced; a replacement enqueues a job for its own thumbnail. */
async function render(
  ctx: Context,
  original: FileOfMediaRow,
  source: { width: number; height: number },
): Promise<ColoredImage | null> {
  const plan = planThumbnail(source, THUMBNAIL_SIDE);
  const limits = { pixelsMax: ctx.settings.imagePixelsMax, timeoutMs: TIMEOUT_MS };
  try {
    return await ctx.blobs.withLocalFile(original.blob_key, (path) =>
      ctx.renderer.render(path, plan, limits),
    );
  } catch (cause) {
    if (cause instanceof BrokenImageError || cause instanceof ImageTooLargeError) {
      throw new UnsupportedMediaError(original.mime_type, cause.message, { cause });
    }
    if (!(cause instanceof BlobNotFoundError)) throw cause;
    const current = await findFileByUuid(ctx.db, existing(ctx), original.uuid);
    if (current?.blob_key === original.blob_key) throw new FileGoneError(original, { cause });
    return null;
  }
}

interface Thumbnail {
  image: ColoredImage;
  made: MadeBytes;
}

/** Inserts the row; returns false if the original has changed, or if a thumbnail exists by now. */
async function insert(
  ctx: Context,
  { media_id, uuid, blob_key }: FileOfMediaRow,
  { image, made }: Thumbnail,
): Promise<boolean> {
  await lockNode(ctx.db, media_id);
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [media_id]);
  const original = files.find((file) => file.uuid === uuid && file.blob_key === blob_key);
  const media = await findMediaById(ctx.db, existing(ctx), media_id);
  if (original === undefined || media === undefined) return false;
  if (files.some(({ key }) => key === THUMBNAIL)) return false;
  const now = ctx.clock();
  const taken = await listUrlNames(ctx.db, media_id);
  await insertFile(ctx.db, {
    uuid: ctx.newId(),
    media_id,
    key: THUMBNAIL,
    filename: THUMBNAIL,
    extension: 'webp',
    mime_type: 'image/webp',
    size_bytes: image.bytes.length,
    md5: made.md5,
    sha256: made.sha256,
    width: image.width,
    height: image.height,
    color: toHex(image.color),
    dir: original.dir,
    url_name: freeUrlName(THUMBNAIL, taken),
    blob_key: made.blobKey,
    created_by: null,
    created_role: PROCESSOR,
    project_id: original.project_id,
    created_at: now,
    updated_at: now,
  });
  ctx.events.publish(mediaUpdate(media, 'thumbnail'));
  return true;
}

function toHex({ r, g, b }: Color): string {
  return `#${Buffer.from([r, g, b]).toString('hex')}`;
}
