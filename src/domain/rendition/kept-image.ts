import { type FileOfMediaRow, listFilesByMediaIds, updateFile } from '../../store/file/file.ts';
import { insertPermanentRenditions, releaseRenditions } from '../../store/rendition/rendition.ts';
import type { FileRow } from '../../store/table.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { mediaUpdate } from '../event/event.ts';
import { type MadeBytes, storeMadeBytes } from '../file/made-bytes.ts';
import { existing } from '../viewer/access.ts';
import { insertDerivedFile, isDerived, thumbnailSizesText } from './derived-file.ts';
import type { DerivedImages } from './derived-image.ts';

/** The key and file name of a thumbnail. */
export const THUMBNAIL = 'thumbnail.webp';

/** Derived images whose bytes are stored, but not yet referenced by a row. */
interface StoredImages extends DerivedImages {
  /** Null: the media item has a thumbnail already. */
  madeThumbnail: MadeBytes | null;
  madeRenditions: MadeBytes[];
}

/**
 * Stores the images that were derived from an original, and its placeholder. An existing thumbnail is not replaced: its URL
 * may be cached. Stores nothing if the original has been deleted or replaced meanwhile. May be repeated after a crash at any
 * point: the sweep deletes bytes without a row.
 */
export async function keepDerivedImages(
  ctx: Context,
  original: FileOfMediaRow,
  images: DerivedImages,
): Promise<void> {
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [original.media_id]);
  const madeThumbnail = hasThumbnail(files)
    ? null
    : await storeMadeBytes(ctx, images.thumbnail.bytes);
  const madeRenditions: MadeBytes[] = [];
  for (const { bytes } of images.renditions) madeRenditions.push(await storeMadeBytes(ctx, bytes));
  const stored = { ...images, madeThumbnail, madeRenditions };
  const unused = await transact(ctx, (ctx) => insert(ctx, original, stored));
  for (const blobKey of unused) await ctx.blobs.delete(blobKey);
}

/** Tells whether a media item with these files has a thumbnail, which a client may have uploaded. */
export function hasThumbnail(files: readonly Pick<FileRow, 'key'>[]): boolean {
  return files.some(({ key }) => key === THUMBNAIL);
}

/** Inserts the rows. Returns the keys of the blobs that are not needed. */
async function insert(
  ctx: Context,
  { media_id, uuid, blob_key }: FileOfMediaRow,
  images: StoredImages,
): Promise<string[]> {
  await lockNode(ctx.db, media_id);
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [media_id]);
  const original = files.find((file) => file.uuid === uuid && file.blob_key === blob_key);
  const media = await findMediaById(ctx.db, existing(ctx), media_id);
  const { madeThumbnail, madeRenditions, placeholder } = images;
  const isWanted = original && !(isDerived(ctx, original) && hasThumbnail(files));
  if (!isWanted || media === undefined) {
    return [madeThumbnail, ...madeRenditions].flatMap((made) => made?.blobKey ?? []);
  }
  const unused = await insertRenditions(ctx, original, images);
  if (madeThumbnail !== null) {
    if (hasThumbnail(files)) unused.push(madeThumbnail.blobKey);
    else {
      const { thumbnail: image } = images;
      const color = placeholder.dominantColor;
      await insertDerivedFile(ctx, original, {
        name: THUMBNAIL,
        image,
        made: madeThumbnail,
        color,
      });
    }
  }
  // Without `updated_at`: the file is the same as before, and its ETag stays.
  await updateFile(ctx.db, original.id, {
    color: placeholder.dominantColor,
    thumbhash: placeholder.thumbhash,
    has_alpha: Number(placeholder.hasAlpha),
    is_animated: Number(placeholder.isAnimated),
    thumbnail_sizes: thumbnailSizesText(ctx),
  });
  ctx.events.publish(mediaUpdate(media, 'thumbnail'));
  return unused;
}

/** Inserts the sizes, and releases those that are no longer configured. Returns the keys of the blobs that are not needed. */
async function insertRenditions(
  ctx: Context,
  original: FileOfMediaRow,
  { renditions, madeRenditions }: StoredImages,
): Promise<string[]> {
  const now = ctx.clock();
  const keptSpecs = renditions.map(({ spec }) => spec);
  await releaseRenditions(ctx.db, original.id, { now, keptSpecs });
  const rows = renditions.flatMap(({ spec, mimeType, bytes }, index) => {
    const made = madeRenditions[index];
    if (made === undefined) return [];
    return {
      file_id: original.id,
      source_blob_key: original.blob_key,
      spec,
      mime_type: mimeType,
      size_bytes: bytes.length,
      md5: made.md5,
      blob_key: made.blobKey,
      created_at: now,
    };
  });
  return insertPermanentRenditions(ctx.db, rows);
}
