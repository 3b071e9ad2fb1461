import { sql } from 'kysely';
import { countRows, type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { findBy, inline } from '../inline.ts';
import { unindexed } from '../plan.ts';
import { prepared } from '../prepared.ts';
import { blobKeysOf, updatesRow } from '../result.ts';
import type { NewUploadRow, UploadRow } from '../table.ts';
import { isLeaseFree } from './lease.ts';

/** Inserts an upload. A second one with the same id or blob key is a unique violation. */
export async function insertUpload(db: Db, upload: NewUploadRow): Promise<void> {
  await db.insertInto('upload').values(upload).execute();
}

/** Returns an upload in any state. */
export function findUpload(db: Db, uploadId: string): Promise<UploadRow | undefined> {
  return findBy(db, 'upload', 'upload_id', uploadId);
}

/** The open sessions of a viewer that have not expired. */
export interface OpenUploads {
  owner: string;
  now: number;
}

/** Returns one page of open sessions. */
export function listOpenUploads(
  db: Db,
  filter: OpenUploads,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<UploadRow>> {
  return listPage(openUploads(inline(db, page.limit), filter).selectAll(), keyset, page);
}

/** Returns the number of open sessions. */
export function countOpenUploads(db: Db, filter: OpenUploads): Promise<number> {
  return countRows(openUploads(db, filter));
}

function openUploads(db: Db, { owner, now }: OpenUploads) {
  return (
    db
      .selectFrom('upload')
      .where('owner', '=', owner)
      // A literal, because the index has only these sessions.
      .where('status', '=', sql.lit('open'))
      // The index of the owner has them in their order; that of the expiry does not.
      .where(sql<boolean>`${unindexed(db, 'expires_at')} > ${now}`)
  );
}

/** An upload, and the fencing number under which a process has read it. */
export interface UploadFence {
  uploadId: string;
  fence: number;
}

/** A durable chunk, and the state of the upload after it. */
export interface UploadAdvance {
  uploadId: string;
  fromBytes: number;
  toBytes: number;
  /** The fencing number under which the bytes were written. */
  fence: number;
  digestState: Uint8Array;
  now: number;
}

/**
 * Moves the offset, and ends the lease. Returns false, and changes nothing, if the upload is not at `fromBytes` or not
 * open any more, or another process has taken it.
 */
export async function advanceUpload(db: Db, advance: UploadAdvance): Promise<boolean> {
  return (await advances(db, advance)).length === 1;
}

const advances = prepared<UploadAdvance, { upload_id: string }>({
  keyOf: () => '',
  // A change never runs on this thread.
  lookupsOf: () => Number.POSITIVE_INFINITY,
  build: (db, _advance, slot) =>
    db
      .updateTable('upload')
      .set({
        offset_bytes: slot(({ toBytes }) => toBytes),
        digest_state: slot(({ digestState }) => digestState),
        updated_at: slot(({ now }) => now),
        lease_holder: null,
        lease_expires_at: null,
      })
      .where(
        'upload_id',
        '=',
        slot(({ uploadId }) => uploadId),
      )
      .where(
        'offset_bytes',
        '=',
        slot(({ fromBytes }) => fromBytes),
      )
      .where(
        'lease_fence',
        '=',
        slot(({ fence }) => fence),
      )
      .where('status', '=', sql.lit('open'))
      .returning('upload_id'),
});

/**
 * Closes an upload from which a media item was created. Returns false if it is not open, or another process has taken
 * it.
 */
export function updateUploadCompleted(
  db: Db,
  { uploadId, fence, mediaId, now }: UploadFence & { mediaId: number; now: number },
): Promise<boolean> {
  return updatesRow(
    db
      .updateTable('upload')
      .set({ status: 'completed', media_id: mediaId, updated_at: now })
      .where('upload_id', '=', uploadId)
      .where('lease_fence', '=', fence)
      .where('status', '=', sql.lit('open')),
  );
}

/** Deletes an upload unless it is completed, or another process has taken it. Returns false if nothing was deleted. */
export async function deleteUpload(db: Db, { uploadId, fence }: UploadFence): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('upload')
    .where('upload_id', '=', uploadId)
    .where('lease_fence', '=', fence)
    .where('status', '!=', sql.lit('completed'))
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/**
 * Marks open uploads past their expiry as expired, except those that a process holds. Returns the blob keys of their
 * bytes, which can be deleted; the rows still tell the reason.
 */
export function updateUploadsExpired(db: Db, now: number): Promise<string[]> {
  return blobKeysOf(
    db
      .updateTable('upload')
      .set({ status: 'expired', updated_at: now })
      .where('status', '=', sql.lit('open'))
      .where('expires_at', '<=', now)
      .where(isLeaseFree(db))
      .returning('blob_key'),
  );
}

/**
 * Shortens the life of uploads created while the clock was ahead, so that none expires after `expiresMax`. Returns
 * their number.
 */
export async function updateFutureUploads(
  db: Db,
  { now, expiresMax }: { now: number; expiresMax: number },
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('upload')
    .set({ expires_at: expiresMax, updated_at: now })
    // Names all states, so that the index of the expiry is used.
    .where(sql<boolean>`status in ('open', 'completed', 'expired')`)
    .where('expires_at', '>', expiresMax)
    .where('created_at', '>', now)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Deletes completed and expired uploads whose expiry is before `expiredBefore`, in milliseconds since 1970. */
export async function deleteClosedUploads(db: Db, expiredBefore: number): Promise<void> {
  await db
    .deleteFrom('upload')
    .where('status', '!=', sql.lit('open'))
    .where('expires_at', '<', expiredBefore)
    .execute();
}

/** Returns the given blob keys that open uploads refer to. */
export function listOpenUploadBlobKeys(db: Db, keys: readonly string[]): Promise<string[]> {
  return blobKeysOf(
    inline(db, keys.length)
      .selectFrom('upload')
      .where(isAnyOf(db, 'blob_key', keys))
      .where('status', '=', sql.lit('open'))
      .select('blob_key'),
  );
}
