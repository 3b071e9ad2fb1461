import { findFileById } from '../../store/file/file.ts';
import {
  deleteLeastUsedRenditions,
  findRendition,
  insertRendition,
  lockRenditionCache,
  sumRenditionBytes,
} from '../../store/rendition/rendition.ts';
import type { FileRow, NewRenditionRow, RenditionRow } from '../../store/table.ts';
import { lockNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { FileGoneError } from '../file/file.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { existing } from '../viewer/access.ts';

type NewRendition = Omit<NewRenditionRow, 'file_id' | 'source_blob_key' | 'used_at'>;

/**
 * Inserts the row of a rendition whose bytes are stored, and evicts old renditions. Returns the row. If another
 * process was first, deletes our bytes and returns its row, or null if that has been evicted already. If the file has
 * been deleted or replaced meanwhile, deletes our bytes and throws FileGoneError.
 */
export async function keepRendition(
  ctx: Context,
  file: Pick<FileRow, 'id' | 'media_id' | 'blob_key'>,
  rendition: NewRendition,
): Promise<RenditionRow | null> {
  const kept = await transact(ctx, async (ctx) => {
    // Deleting or replacing the file takes the same lock: either it finds this row, or we find the change.
    await lockNode(ctx.db, file.media_id);
    const current = await findFileById(ctx.db, existing(ctx), file.id);
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

/** The fraction of the cache that stays full after an eviction, so that not every new rendition evicts an old one. */
const LOW_WATER = 0.99;

async function makeRoom(ctx: Context, keptId: number): Promise<void> {
  const { renditionCacheBytesMax: bytesMax } = ctx.settings;
  // Otherwise each of several processes would miss the rows that the others have not committed yet.
  await lockRenditionCache(ctx.db);
  const takenBytes = await sumRenditionBytes(ctx.db);
  if (takenBytes <= bytesMax) return;
  const neededBytes = takenBytes - Math.floor(bytesMax * LOW_WATER);
  await enqueueBlobDeletion(ctx, await deleteLeastUsedRenditions(ctx.db, { neededBytes, keptId }));
}
