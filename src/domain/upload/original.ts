import { listFilesByMediaIds, updateFile } from '../../store/file/file.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { freeUrlName } from '../file/url-name.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { dropDerivedFiles, enqueueFileJobs } from '../rendition/derived-file.ts';
import { findOwnMedia } from '../tree/media-change.ts';
import { nodeTarget } from '../tree/node.ts';
import { existing } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
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
 * Creates a destination: the original of an existing media item, in place of the one it has. The item keeps its uuid
 * and the `dir` of its URL; the old URL is gone if the name differs. Everything derived from the old image is deleted,
 * and all old bytes are deleted by a job of the same transaction. `alsoWrite` runs in that transaction, and its result
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
  await dropDerivedFiles(ctx, mediaId);
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [mediaId]);
  const original = files.find(({ key }) => key === '');
  if (original === undefined) {
    throw InvalidInputError.of('file', 'NO_FILE', 'The media item has no file to replace.');
  }
  const details = { from: original.filename, to: file.filename };
  await recordAudit(ctx, { action: 'replace', target: nodeTarget(media), details });
  const columns = fileColumns(file);
  const taken = files.filter((file) => file !== original).map(({ url_name }) => url_name);
  await updateFile(ctx.db, original.id, {
    ...columns,
    url_name: freeUrlName(columns.filename, taken),
    updated_at: ctx.clock(),
  });
  await updateNode(ctx.db, existing(ctx), mediaId, { type: file.type });
  await enqueueBlobDeletion(ctx, [original.blob_key]);
  await enqueueFileJobs(ctx, { ...original, ...columns });
}
