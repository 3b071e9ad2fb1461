import { listFilesByMediaIds, updateFile } from '../../store/file/file.ts';
import { EVERYTHING } from '../../store/scope.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { freeUrlName } from '../file/url-name.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { dropDerivedFiles, enqueueFileJobs } from '../rendition/derived-file.ts';
import { findOwnMedia } from '../tree/media-change.ts';
import { type Examined, fileColumns, type StagedFile, settle } from './ingest.ts';
import type { Policy } from './placement.ts';
import { discardRefused } from './staging.ts';

/** Bytes that are to be a media's, and what they may be. */
export interface Replacement {
  staged: StagedFile;
  policy: Policy;
}

/**
 * Puts staged bytes in the place of the original of a media, which keeps its uuid and the `dir` of its URL:
 * the old URL is gone where the name is another one. What was made of the old picture goes with it, and all
 * their bytes by a job of the same transaction, which `alsoInTransaction` joins. Needs the creator or an
 * admin. Throws NotFoundError, also for a media without a file, and what `settle` does; the staged bytes are
 * gone then.
 */
export async function replaceFile<T>(
  ctx: Context,
  mediaId: number,
  { staged, policy }: Replacement,
  alsoInTransaction: (ctx: Context) => Promise<T>,
): Promise<T> {
  return discardRefused(ctx, staged, async () => {
    await findOwnMedia(ctx, mediaId, 'media.update');
    const examined = await settle(ctx, staged, policy);
    return transact(ctx, async (ctx) => {
      await swap(ctx, mediaId, staged, examined);
      return alsoInTransaction(ctx);
    });
  });
}

async function swap(
  ctx: Context,
  mediaId: number,
  staged: StagedFile,
  examined: Examined,
): Promise<void> {
  // Two replacements at once would else both find the same old bytes, and one leave its own behind. The tree
  // first, as whoever moves the media does: it may be moved in this transaction, too.
  await lockTree(ctx.db);
  await lockNode(ctx.db, mediaId);
  // It may have been deleted while the bytes were looked at.
  await findOwnMedia(ctx, mediaId, 'media.update');
  await dropDerivedFiles(ctx, mediaId);
  const files = await listFilesByMediaIds(ctx.db, EVERYTHING, [mediaId]);
  const original = files.find(({ key }) => key === '');
  if (original === undefined) {
    throw InvalidInputError.of('file', 'NO_FILE', 'The media has no file that could be replaced.');
  }
  const columns = fileColumns(staged, examined);
  const taken = files.filter((file) => file !== original).map(({ url_name }) => url_name);
  await updateFile(ctx.db, original.id, {
    ...columns,
    url_name: freeUrlName(columns.filename, taken),
    updated_at: ctx.clock(),
  });
  await updateNode(ctx.db, mediaId, { type: examined.type });
  await enqueueBlobDeletion(ctx, [original.blob_key]);
  await enqueueFileJobs(ctx, { ...original, ...columns });
}
