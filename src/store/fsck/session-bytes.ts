import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { updatesRow } from '../result.ts';

/** An open upload session whose first bytes have been acknowledged. */
export interface SessionBytes {
  uploadId: string;
  blobKey: string;
  filename: string;
  /** Number of acknowledged bytes. */
  offsetBytes: number;
}

/** Lists the first `limit` open upload sessions whose blob keys come after another one, in the order of the keys. */
export async function listSessionBytes(
  db: Db,
  after: string,
  limit: number,
): Promise<SessionBytes[]> {
  const rows = await db
    .selectFrom('upload')
    .where('blob_key', '>', after)
    .where('status', '=', sql.lit('open'))
    .orderBy('blob_key')
    .limit(limit)
    .select(['upload_id', 'blob_key', 'filename', 'offset_bytes'])
    .execute();
  return rows.map((row) => ({
    uploadId: row.upload_id,
    blobKey: row.blob_key,
    filename: row.filename,
    offsetBytes: row.offset_bytes,
  }));
}

/** Tells whether an upload session is still open. */
export async function isSessionOpen(db: Db, uploadId: string): Promise<boolean> {
  const row = await db
    .selectFrom('upload')
    .where('upload_id', '=', uploadId)
    .where('status', '=', sql.lit('open'))
    .select('upload_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends an open upload session whose bytes are lost: its client is told to start a new one. */
export function endSession(db: Db, uploadId: string, now: number): Promise<boolean> {
  return updatesRow(
    db
      .updateTable('upload')
      .set({ status: 'expired', updated_at: now })
      .where('upload_id', '=', uploadId)
      .where('status', '=', sql.lit('open')),
  );
}
