import { type FileOfMediaRow, findFileById } from '../../store/file/file.ts';
import {
  deleteLeastUsedRenditions,
  findRendition,
  insertRendition,
  sumRenditionBytes,
} from '../../store/rendition/rendition.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { NewRenditionRow, RenditionRow } from '../../store/table.ts';
import { lockNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { FileGoneError } from '../file/file.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';

type NewRendition = Omit<NewRenditionRow, 'file_id' | 'source_blob_key' | 'used_at'>;

/**
 * Writes the row of bytes that are in place, and makes room for them. Answers the row, or that of another
 * process which was first; null if that is gone already. When it is not the new one its bytes are gone.
 * Throws FileGoneError if the file has been deleted or replaced since: the bytes are gone then, too.
 */
export async function keepRendition(
  ctx: Context,
  file: FileOfMediaRow,
  rendition: NewRendition,
): Promise<RenditionRow | null> {
  const kept = await transact(ctx, async (ctx) => {
    // Who deletes or replaces the file takes the same lock, and then finds this row, or we find it done.
    await lockNode(ctx.db, file.media_id);
    const current = await findFileById(ctx.db, EVERYTHING, file.id);
    if (current?.blob_key !== file.blob_key) return 'gone';
    const row = await insertRendition(ctx.db, {
      ...rendition,
      file_id: file.id,
      source_blob_key: file.blob_key,
      used_at: rendition.created_at,
    });
    if (row === undefined) return findRendition(ctx.db, file.blob_key, rendition.spec);
    await makeRoom(ctx, row.id);
    return row;
  });
  const isNew = typeof kept === 'object' && kept.blob_key === rendition.blob_key;
  if (!isNew) await ctx.blobs.delete(rendition.blob_key);
  if (kept === 'gone') throw new FileGoneError(file);
  return kept ?? null;
}

/** How full the cache is afterwards, so that not every new rendition has to look for an old one. */
const LOW_WATER = 0.99;

async function makeRoom(ctx: Context, keptId: number): Promise<void> {
  const { renditionCacheBytesMax: bytesMax } = ctx.settings;
  const takenBytes = await sumRenditionBytes(ctx.db);
  if (takenBytes <= bytesMax) return;
  const neededBytes = takenBytes - Math.floor(bytesMax * LOW_WATER);
  await enqueueBlobDeletion(ctx, await deleteLeastUsedRenditions(ctx.db, { neededBytes, keptId }));
}
