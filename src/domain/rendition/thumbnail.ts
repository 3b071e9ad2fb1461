import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { BrokenImageError, ImageTooLargeError } from '../../media/probe.ts';
import { type FileOfMediaRow, findFileByUuid, listFilesByMediaIds } from '../../store/file/file.ts';
import type { Context } from '../context.ts';
import { UnsupportedMediaError } from '../error.ts';
import { FileGoneError } from '../file/file.ts';
import { existing } from '../viewer/access.ts';
import { isDerived, PREVIEW } from './derived-file.ts';
import { type DerivedImages, deriveImages } from './derived-image.ts';
import { hasThumbnail, keepDerivedImages } from './kept-image.ts';
import { type Source, toSource } from './plan.ts';

/**
 * Creates what the server derives from every image, unless all of it exists: the thumbnail, as a file of the same media
 * item; the other sizes, as renditions; and the placeholder. Does nothing if the file is not an image, has been deleted, or
 * is neither an original nor a preview. May be repeated after a crash at any point. Throws UnsupportedMediaError for an image that cannot be read, FileGoneError if its bytes are lost,
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
  if (source === null || (await hasAll(ctx, original))) return;
  const images = await derive(ctx, original, source);
  if (images === null) return;
  signal?.throwIfAborted();
  await keepDerivedImages(ctx, original, images);
}

async function hasAll(ctx: Context, original: FileOfMediaRow): Promise<boolean> {
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [original.media_id]);
  return isDerived(ctx, original) && hasThumbnail(files);
}

/** Returns null if the file has been deleted or replaced; a replacement enqueues a job of its own. */
async function derive(
  ctx: Context,
  original: FileOfMediaRow,
  source: Source,
): Promise<DerivedImages | null> {
  try {
    return await ctx.blobs.withLocalFile(original.blob_key, (path) =>
      deriveImages(ctx, path, source),
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
