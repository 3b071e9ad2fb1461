import { DamagedImageError } from '../../media/probe.ts';
import { type FileOfMediaRow, findFileByUuid, updateFile } from '../../store/file/file.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { UnsupportedMediaError } from '../error.ts';
import { mediaUpdate } from '../event/event.ts';
import { createThumbnail } from '../rendition/thumbnail.ts';
import { existing } from '../viewer/access.ts';

/**
 * Creates the thumbnail of an original, as `createThumbnail` does. An upload does not decode every image, so an image
 * may turn out to be damaged only now. It then becomes what the upload would have made it: a file, without width and
 * height. Throws the errors of `createThumbnail` afterwards.
 */
export async function createThumbnailOrNoteDamage(
  ctx: Context,
  fileUuid: string,
  signal?: AbortSignal,
): Promise<void> {
  const before = await findFileByUuid(ctx.db, existing(ctx), fileUuid);
  try {
    await createThumbnail(ctx, fileUuid, signal);
  } catch (error) {
    const isDamaged =
      error instanceof UnsupportedMediaError && error.cause instanceof DamagedImageError;
    if (isDamaged && before !== undefined) await transact(ctx, (ctx) => noteDamage(ctx, before));
    throw error;
  }
}

/** Does nothing if the original has been replaced or deleted meanwhile. */
async function noteDamage(ctx: Context, before: FileOfMediaRow): Promise<void> {
  await lockNode(ctx.db, before.media_id);
  const file = await findFileByUuid(ctx.db, existing(ctx), before.uuid);
  const media = await findMediaById(ctx.db, existing(ctx), before.media_id);
  if (media === undefined || file?.blob_key !== before.blob_key) return;
  const updated_at = ctx.clock();
  await updateFile(ctx.db, file.id, { width: null, height: null, updated_at });
  const isImage = media.type === 'image' || media.type === 'eimage';
  await updateNode(ctx.db, existing(ctx), media.id, {
    ...(isImage && { type: 'file' }),
    updated_at,
  });
  ctx.events.publish(mediaUpdate(media, 'file'));
}
