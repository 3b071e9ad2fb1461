import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import type { NewUploadRow, UploadRow } from '../table.ts';

/** A second upload of the same id or blob is a unique violation. */
export async function insertUpload(db: Db, upload: NewUploadRow): Promise<void> {
  await db.insertInto('upload').values(upload).execute();
}

/** In whatever state it is. */
export function findUpload(db: Db, uploadId: string): Promise<UploadRow | undefined> {
  return db.selectFrom('upload').where('upload_id', '=', uploadId).selectAll().executeTakeFirst();
}

/** A chunk that has become durable. */
export interface UploadAdvance {
  uploadId: string;
  fromBytes: number;
  toBytes: number;
  digestState: Uint8Array;
  now: number;
}

/** Moves the offset only if nobody else has: false when the upload is elsewhere, or no longer open. */
export async function advanceUpload(db: Db, advance: UploadAdvance): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('upload')
    .set({
      offset_bytes: advance.toBytes,
      digest_state: advance.digestState,
      updated_at: advance.now,
    })
    .where('upload_id', '=', advance.uploadId)
    .where('offset_bytes', '=', advance.fromBytes)
    .where('status', '=', 'open')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Closes an open upload as the source of a media: false when it is not open. */
export async function updateUploadCompleted(
  db: Db,
  { uploadId, mediaId, now }: { uploadId: string; mediaId: number; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('upload')
    .set({ status: 'completed', media_id: mediaId, updated_at: now })
    .where('upload_id', '=', uploadId)
    .where('status', '=', 'open')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Deletes an upload that is not completed: false when there is none. */
export async function deleteUpload(db: Db, uploadId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('upload')
    .where('upload_id', '=', uploadId)
    .where('status', '!=', 'completed')
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/**
 * Open uploads whose time is over become expired: their bytes may go, their row still says why. Answers the
 * keys of their bytes.
 */
export async function updateUploadsExpired(db: Db, now: number): Promise<string[]> {
  const rows = await db
    .updateTable('upload')
    .set({ status: 'expired', updated_at: now })
    .where('status', '=', 'open')
    .where('expires_at', '<=', now)
    .returning('blob_key')
    .execute();
  return rows.map((row) => row.blob_key);
}

/**
 * Forgets completed and expired uploads whose time was over before `expiredBefore`, in milliseconds
 * since 1970.
 */
export async function deleteClosedUploads(db: Db, expiredBefore: number): Promise<void> {
  await db
    .deleteFrom('upload')
    .where('status', '!=', 'open')
    .where('expires_at', '<', expiredBefore)
    .execute();
}

/** Those of the given blob keys that an open upload refers to. */
export async function listOpenUploadBlobKeys(db: Db, keys: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('upload')
    .where(isAnyOf(db, 'blob_key', keys))
    .where('status', '=', 'open')
    .select('blob_key')
    .execute();
  return rows.map((row) => row.blob_key);
}
