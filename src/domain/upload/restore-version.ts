import { fileExtension } from '../../lib/filename.ts';
import { takeVersion } from '../../store/file/version.ts';
import { lockNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import type { Media } from '../tree/media.ts';
import { findOwnMedia, updateMedia } from '../tree/media-change.ts';
import { setCurrentFile } from './current-file.ts';

/**
 * Makes a version the original of its media item again, with the type that the media item had; what is the original now
 * becomes the latest version. The number of versions stays the same, so that no bytes are deleted. Needs the creator or
 * an admin. Throws NotFoundError, ForbiddenError.
 */
export async function restoreVersion(
  ctx: Context,
  { mediaId, versionId }: { mediaId: number; versionId: number },
): Promise<Media> {
  return transact(ctx, async (ctx) => {
    await lockNode(ctx.db, mediaId);
    const media = await findOwnMedia(ctx, mediaId, 'media.update');
    const version = await takeVersion(ctx.db, mediaId, versionId);
    if (version === undefined) throw new NotFoundError('version', versionId);
    const { type, filename, mime_type, size_bytes, md5, sha256, width, height } = version;
    const { blob_key, damaged_at } = version;
    const extension = fileExtension(filename);
    const columns = { mime_type, size_bytes, md5, sha256, width, height, blob_key, damaged_at };
    const file = { type, filename, extension, ...columns };
    await setCurrentFile(ctx, media, file, 'restore_version');
    return updateMedia(ctx, mediaId, {});
  });
}
