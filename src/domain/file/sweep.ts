import type { BlobEntry } from '../../blob/blob-store.ts';
import { listKnownFileBlobKeys } from '../../store/file/blob-key.ts';
import { findFileByUuid, listFilesAfter } from '../../store/file/file.ts';
import { listKnownRenditionBlobKeys } from '../../store/rendition/rendition.ts';
import { EVERYTHING } from '../../store/scope.ts';
import {
  deleteClosedUploads,
  listOpenUploadBlobKeys,
  updateUploadsExpired,
} from '../../store/upload/upload.ts';
import type { Log, Services } from '../context.ts';

/** How long the row of a closed upload stays, so that a late client learns what became of it. */
const CLOSED_UPLOAD_KEPT_MS = 7 * 24 * 3_600_000;

/** Blobs that are looked up at once. */
const BATCH_SIZE = 500;

/** How far a sweep may go. */
export interface SweepOptions {
  /**
   * Milliseconds since 1970; bytes that were written later stay. They may belong to a request that is
   * under way: its row is written last.
   */
  modifiedBefore: number;
  /** Ends it early. */
  signal?: AbortSignal;
}

/** Bytes younger than this may belong to a request that is still under way, here or in another process. */
export const SWEEP_GRACE_MS = 60 * 60_000;

/**
 * Ends uploads whose time is over and removes bytes that no row names: those of ended uploads, and what
 * a crash left between bytes and rows. Resolves with the count of blobs removed.
 */
export async function sweep(
  services: Services & { log: Log },
  { modifiedBefore, signal }: SweepOptions,
): Promise<number> {
  const { blobs, log } = services;
  let removed = await expireUploads(services);
  let batch: BlobEntry[] = [];
  for await (const entry of blobs.list()) {
    if (entry.modifiedAt.getTime() >= modifiedBefore) continue;
    batch.push(entry);
    if (batch.length < BATCH_SIZE) continue;
    signal?.throwIfAborted();
    removed += await removeOrphans(services, batch);
    batch = [];
  }
  removed += await removeOrphans(services, batch);
  if (removed > 0) log.info({ blobsRemoved: removed }, 'swept bytes without a row');
  return removed;
}

/** Ends uploads whose time is over; their bytes go, their row still says why. Resolves with their count. */
export async function expireUploads({ db, blobs, clock }: Services): Promise<number> {
  const now = clock();
  const blobKeys = await updateUploadsExpired(db, now);
  for (const key of blobKeys) {
    await blobs.discard(key);
    await blobs.delete(key);
  }
  await deleteClosedUploads(db, now - CLOSED_UPLOAD_KEPT_MS);
  return blobKeys.length;
}

/** Removes those of the blobs that no row names; there may be none. */
export async function deleteUnnamedBlobs(
  services: Services,
  keys: readonly string[],
): Promise<void> {
  const known = await listKnown(services, keys);
  for (const key of keys) if (!known.has(key)) await services.blobs.delete(key);
}

/** The uuids of files whose bytes are not there, or not all of them. */
export async function findLostFiles(
  { db, blobs }: Services,
  signal?: AbortSignal,
): Promise<string[]> {
  const lost: string[] = [];
  let after = 0;
  for (;;) {
    const files = await listFilesAfter(db, EVERYTHING, after, BATCH_SIZE);
    for (const { uuid, blob_key, size_bytes } of files) {
      if ((await blobs.stat(blob_key))?.sizeBytes === size_bytes) continue;
      // Deleted or replaced meanwhile, perhaps.
      if ((await findFileByUuid(db, EVERYTHING, uuid))?.blob_key === blob_key) lost.push(uuid);
    }
    signal?.throwIfAborted();
    after = files.at(-1)?.id ?? 0;
    if (files.length < BATCH_SIZE) return lost;
  }
}

async function removeOrphans(services: Services, entries: BlobEntry[]): Promise<number> {
  const { blobs } = services;
  const known = await listKnown(
    services,
    entries.map(({ key }) => key),
  );
  const orphans = entries.filter(({ key }) => !known.has(key));
  for (const { key, area } of orphans) {
    await (area === 'staged' ? blobs.discard(key) : blobs.delete(key));
  }
  return orphans.length;
}

/** Those of the keys that a row names. */
async function listKnown({ db }: Services, keys: readonly string[]): Promise<Set<string>> {
  // Uploads first: one that completes between the two queries is then in the second, and never in none.
  const open = await listOpenUploadBlobKeys(db, keys);
  const renditions = await listKnownRenditionBlobKeys(db, keys);
  return new Set([...open, ...renditions, ...(await listKnownFileBlobKeys(db, EVERYTHING, keys))]);
}
