import type { BlobEntry } from '../blob/blob-store.ts';
import { listKnownFileBlobKeys } from '../store/file.ts';
import {
  deleteClosedUploads,
  listOpenUploadBlobKeys,
  updateUploadsExpired,
} from '../store/upload.ts';
import type { Log, Services } from './context.ts';

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
}

/**
 * Ends uploads whose time is over and removes bytes that no row names: those of ended uploads, and what
 * a crash left between bytes and rows. Resolves with the count of blobs removed.
 */
export async function sweep(
  services: Services & { log: Log },
  { modifiedBefore }: SweepOptions,
): Promise<number> {
  const { db, blobs, clock, log } = services;
  const now = clock();
  await updateUploadsExpired(db, now);
  await deleteClosedUploads(db, now - CLOSED_UPLOAD_KEPT_MS);
  let removed = 0;
  let batch: BlobEntry[] = [];
  for await (const entry of blobs.list()) {
    if (entry.modifiedAt.getTime() >= modifiedBefore) continue;
    batch.push(entry);
    if (batch.length < BATCH_SIZE) continue;
    removed += await removeOrphans(services, batch);
    batch = [];
  }
  removed += await removeOrphans(services, batch);
  if (removed > 0) log.info({ blobsRemoved: removed }, 'swept bytes without a row');
  return removed;
}

async function removeOrphans({ db, blobs }: Services, entries: BlobEntry[]): Promise<number> {
  const keys = entries.map(({ key }) => key);
  // Uploads first: one that completes between the two queries is then in the second, and never in none.
  const open = await listOpenUploadBlobKeys(db, keys);
  const known = new Set([...open, ...(await listKnownFileBlobKeys(db, keys))]);
  const orphans = entries.filter(({ key }) => !known.has(key));
  for (const { key, area } of orphans) {
    await (area === 'staged' ? blobs.discard(key) : blobs.delete(key));
  }
  return orphans.length;
}
