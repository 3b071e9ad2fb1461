import { deleteOldVersions } from '../../store/file/version.ts';
import { lockNode } from '../../store/tree/node.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import type { Context } from '../context.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { findOwnMedia } from '../tree/media-change.ts';
import { setCurrentFile } from './current-file.ts';
import { type ExaminedFile, type Into, onlyFile } from './door.ts';
import { fileColumns } from './file-row.ts';
import type { Policy } from './policy.ts';
import type { StagedFile } from './staging.ts';

/** A staged file that becomes the original of a media item, and the policy that it must meet. */
export interface NewOriginal {
  staged: StagedFile;
  policy: Policy;
}

/**
 * Creates a destination: the original of an existing media item, in place of the one it has, which becomes its latest
 * version: see `setCurrentFile`. The bytes of versions beyond `versionsMax` are deleted by a job of the same transaction.
 * `alsoWrite` runs in that transaction, and its result
 * is the result. Needs the creator or an admin. Throws NotFoundError, ForbiddenError, and InvalidInputError for a media
 * item without a file.
 */
export function intoOriginal<T>(
  mediaId: number,
  policy: Policy,
  alsoWrite: (ctx: Context) => Promise<T>,
): Into<T> {
  return async (ctx, staged) => {
    await findOwnMedia(ctx, mediaId, 'media.update');
    return {
      policy,
      items: 0,
      files: staged,
      write: async (ctx, files) => {
        await replace(ctx, mediaId, onlyFile(files));
        return alsoWrite(ctx);
      },
    };
  };
}

async function replace(ctx: Context, mediaId: number, file: ExaminedFile): Promise<void> {
  // Without the lock two replacements could find the same old bytes, and one would leave its own behind. The tree comes
  // first, as in every move: the item may be moved in this transaction as well.
  await lockTree(ctx.db);
  await lockNode(ctx.db, mediaId);
  // It may have been deleted while the bytes were examined.
  const media = await findOwnMedia(ctx, mediaId, 'media.update');
  await setCurrentFile(ctx, media, { ...fileColumns(file), type: file.type }, 'replace');
  const { versionsMax } = ctx.settings;
  await enqueueBlobDeletion(ctx, await deleteOldVersions(ctx.db, mediaId, versionsMax));
}
