import type { Db } from '../db.ts';

/** Inserts a hold on all blobs, and deletes those that ended before `now`. Times are milliseconds since 1970. */
export async function insertBlobHold(
  db: Db,
  { token, now, heldUntil }: { token: string; now: number; heldUntil: number },
): Promise<void> {
  await db.deleteFrom('blob_hold').where('held_until', '<', now).execute();
  await db.insertInto('blob_hold').values({ token, held_until: heldUntil }).execute();
}

/** Extends a hold. Returns false if it has been deleted, because it had ended. */
export async function updateBlobHold(db: Db, token: string, heldUntil: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('blob_hold')
    .set({ held_until: heldUntil })
    .where('token', '=', token)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Deletes a hold. */
export async function deleteBlobHold(db: Db, token: string): Promise<void> {
  await db.deleteFrom('blob_hold').where('token', '=', token).execute();
}

/** Returns whether a hold ends after one time, but not after the other. */
export async function hasBlobHold(
  db: Db,
  { after, upTo }: { after: number; upTo: number },
): Promise<boolean> {
  const hold = await db
    .selectFrom('blob_hold')
    .where('held_until', '>', after)
    .where('held_until', '<=', upTo)
    .select('token')
    .executeTakeFirst();
  return hold !== undefined;
}
