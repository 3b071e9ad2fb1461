import * as store from '../../store/file/damage.ts';
import type { BlobReference } from '../../store/fsck/blob-reference.ts';
import { deleteRendition } from '../../store/rendition/rendition.ts';
import { type Context, type Services, transact } from '../context.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { isAdmin } from '../viewer/access.ts';

/**
 * Acts on bytes that are damaged: a file is marked, so that they are not served as good; a rendition is deleted, because
 * it can be rendered again. Does nothing if the row is gone or refers to other bytes by now.
 */
export async function noteDamagedBytes(ctx: Context, reference: BlobReference): Promise<void> {
  const { kind, id, blobKey } = reference;
  if (kind !== 'rendition') {
    await store.markDamaged(ctx.db, { kind, id, blobKey }, ctx.clock());
    return;
  }
  await transact(ctx, async (ctx) => {
    await deleteRendition(ctx.db, id);
    await enqueueBlobDeletion(ctx, [blobKey]);
  });
}

/** Removes the mark of a file whose bytes are good again, for example after they were restored from a backup. */
export async function noteGoodBytes(
  { db }: Services,
  { kind, id, blobKey }: BlobReference,
): Promise<boolean> {
  return kind !== 'rendition' && store.clearDamage(db, { kind, id, blobKey });
}

/** Returns the number of files that are marked as damaged. */
export function countDamagedFiles({ db }: Pick<Services, 'db'>): Promise<number> {
  return store.countDamaged(db);
}

/** Returns the number of damaged files for an admin, and null for any other viewer. */
export async function damagedFilesFor(ctx: Context): Promise<number | null> {
  return isAdmin(ctx) ? countDamagedFiles(ctx) : null;
}
