import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { databaseTime, isAnyOf } from '../dialect.ts';
import { prepared } from '../prepared.ts';
import type { UploadRow } from '../table.ts';

/** The wish of a process to hold an upload. */
export interface LeaseClaim {
  uploadId: string;
  /** The name of the process. */
  holder: string;
  leaseMs: number;
}

/**
 * Takes the lease of an open upload, with the next fencing number. Returns its row; undefined, and changes nothing, if
 * another process holds it, or it is not open. The clock is that of the database. A holder may take its own lease again:
 * the process serializes its own work, so a lease that it has is left over from work that failed.
 */
export async function takeUpload(db: Db, claim: LeaseClaim): Promise<UploadRow | undefined> {
  const [row] = await takes(db, claim);
  return row;
}

const takes = prepared<LeaseClaim, UploadRow>({
  keyOf: () => '',
  // A change never runs on this thread.
  lookupsOf: () => Number.POSITIVE_INFINITY,
  isLookup: true,
  build: (db, _claim, slot) => {
    const now = databaseTime(db);
    const holder = slot(({ holder }) => holder);
    return db
      .updateTable('upload')
      .set({
        lease_holder: holder,
        lease_expires_at: sql<number>`${now} + ${slot(({ leaseMs }) => leaseMs)}`,
        lease_fence: sql<number>`lease_fence + 1`,
      })
      .where(
        'upload_id',
        '=',
        slot(({ uploadId }) => uploadId),
      )
      .where('status', '=', sql.lit('open'))
      .where(sql<boolean>`(${isLeaseFree(db)} or lease_holder = ${holder})`)
      .returningAll();
  },
});

/** Returns the condition that no process holds the lease of an upload. */
export function isLeaseFree(db: Db) {
  return sql<boolean>`(lease_expires_at is null or lease_expires_at <= ${databaseTime(db)})`;
}

/** Extends the leases that a process holds. Returns the fencing numbers of those uploads, by their ids. */
export async function extendUploadLeases(
  db: Db,
  uploadIds: readonly string[],
  { holder, leaseMs }: Omit<LeaseClaim, 'uploadId'>,
): Promise<Map<string, number>> {
  const rows = await db
    .updateTable('upload')
    .set({ lease_expires_at: sql<number>`${databaseTime(db)} + ${leaseMs}` })
    .where(isAnyOf(db, 'upload_id', uploadIds))
    .where('lease_holder', '=', holder)
    .returning(['upload_id', 'lease_fence'])
    .execute();
  return new Map(rows.map(({ upload_id, lease_fence }) => [upload_id, lease_fence]));
}

/** Gives a lease back, unless another process has taken it since. */
export async function releaseUpload(
  db: Db,
  { uploadId, fence }: { uploadId: string; fence: number },
): Promise<void> {
  await db
    .updateTable('upload')
    .set({ lease_holder: null, lease_expires_at: null })
    .where('upload_id', '=', uploadId)
    .where('lease_fence', '=', fence)
    .execute();
}
