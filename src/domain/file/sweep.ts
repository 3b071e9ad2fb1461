import type { BlobEntry } from '../../blob/blob-store.ts';
import {
  type BlobKeyRange,
  listFilesByBlobKey,
  listKnownFileBlobKeys,
  type StoredFile,
} from '../../store/file/blob-key.ts';
import { listKnownRenditionBlobKeys } from '../../store/rendition/rendition.ts';
import { listOpenUploadBlobKeys } from '../../store/upload/upload.ts';
import type { Log, Services } from '../context.ts';
import { areBlobsHeld } from './blob-hold.ts';

/** Number of entries of a listing that are compared with the rows at once. */
export const BATCH_SIZE = 500;

/** Maximum number of lost files that the log names. */
const LOGGED_MAX = 100;

/** Limits of a sweep. */
export interface SweepOptions {
  /**
   * Milliseconds since 1970. Bytes and rows written later are left alone: they may belong to a request in progress,
   * which writes its row last.
   */
  modifiedBefore: number;
  /** Ends the sweep early. */
  signal?: AbortSignal;
}

/** Bytes younger than this may belong to a request that is still in progress, in this process or another one. */
export const SWEEP_GRACE_MS = 60 * 60_000;

/** The result of a sweep. */
export interface SweepResult {
  /** Blobs and staged bytes deleted. */
  removed: number;
  /** Files, and versions of files, whose bytes are missing or have another size. */
  lost: number;
}

/**
 * Compares the listings of bytes with the rows. Deletes bytes that no row refers to, and logs the files whose bytes are
 * lost: only someone with a backup can restore those. Keeps the bytes of uploads that have expired but are not closed:
 * call `expireUploads` first. Uses bounded memory, and asks the blob store for its listing only, never for single
 * blobs: with a million files, a request for each would be a million requests an hour. While a backup runs, stored bytes
 * are left to the next sweep.
 */
export async function sweep(
  services: Services & { log: Log },
  { modifiedBefore, signal }: SweepOptions,
): Promise<SweepResult> {
  const { log } = services;
  const result = { removed: 0, lost: 0, lostUuids: [] };
  // Staged bytes first: what is promoted meanwhile is found in one of the two listings.
  for await (const batch of inBatches(services.staging.list(), signal)) {
    result.removed += await discardLeftovers(services, olderThan(services, modifiedBefore, batch));
  }
  let after = '';
  for await (const batch of inBatches(services.blobs.list(), signal)) {
    const upTo = batch.length < BATCH_SIZE ? null : (batch.at(-1)?.key ?? null);
    await compareWithRows(services, { batch, range: { after, upTo }, modifiedBefore }, result);
    after = upTo ?? after;
  }
  const { removed, lost, lostUuids } = result;
  if (removed > 0) log.info({ blobsRemoved: removed }, 'swept bytes without a row');
  if (lost > 0) log.error({ files: lostUuids }, 'the bytes of files are lost');
  return { removed, lost };
}

/** Groups a listing of bytes; the last batch is shorter than `BATCH_SIZE`, and may be empty. */
export async function* inBatches(
  entries: AsyncIterable<BlobEntry>,
  signal: AbortSignal | undefined,
) {
  let batch: BlobEntry[] = [];
  for await (const entry of entries) {
    if (batch.push(entry) < BATCH_SIZE) continue;
    yield batch;
    signal?.throwIfAborted();
    batch = [];
  }
  yield batch;
  signal?.throwIfAborted();
}

/** No request writes for this long. Bytes with a later time were written while the clock was ahead. */
const FUTURE_MS = 24 * 60 * 60_000;

/** Returns the keys of the entries that were written before a time. */
export function olderThan(
  { clock }: Pick<Services, 'clock'>,
  time: number,
  entries: readonly BlobEntry[],
): string[] {
  const future = clock() + FUTURE_MS;
  const isOld = (modifiedAt: number) => modifiedAt < time || modifiedAt > future;
  return entries.filter((entry) => isOld(entry.modifiedAt.getTime())).map(({ key }) => key);
}

/** Discards staged bytes that do not belong to an open upload: a file has a row only after its promotion. */
async function discardLeftovers({ db, staging }: Services, keys: string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const open = new Set(await listOpenUploadBlobKeys(db, keys));
  const leftovers = keys.filter((key) => !open.has(key));
  for (const key of leftovers) await staging.discard(key);
  return leftovers.length;
}

interface Comparison {
  /** All blobs whose keys are in the range. */
  batch: readonly BlobEntry[];
  range: BlobKeyRange;
  modifiedBefore: number;
}

interface Findings extends SweepResult {
  /** The first `LOGGED_MAX` of the lost files. */
  lostUuids: string[];
}

async function compareWithRows(
  services: Services,
  { batch, range, modifiedBefore }: Comparison,
  findings: Findings,
): Promise<void> {
  const { db, blobs, staging } = services;
  const unnamed = new Set(olderThan(services, modifiedBefore, batch));
  if (unnamed.size > 0) {
    const keys = [...unnamed];
    // Uploads first: the bytes of one that completes between the queries belong to a file by then.
    for (const key of await listOpenUploadBlobKeys(db, keys)) unnamed.delete(key);
    for (const key of await listKnownRenditionBlobKeys(db, keys)) unnamed.delete(key);
  }
  const sizes = new Map(batch.map(({ key, sizeBytes }) => [key, sizeBytes]));
  for await (const files of filesIn(services, range)) {
    for (const { blob_key } of files) unnamed.delete(blob_key);
    const missing = files.filter(
      (file) => file.updated_at < modifiedBefore && sizes.get(file.blob_key) !== file.size_bytes,
    );
    await noteLost(services, missing, findings);
  }
  if (unnamed.size > 0 && (await areBlobsHeld(services))) return;
  for (const key of unnamed) {
    // Staged bytes in a bucket look like a blob, or like one that was interrupted.
    if ((await staging.stat(key)) !== null) continue;
    await blobs.delete(key);
    findings.removed++;
  }
}

/** Lists the files, and the versions of files, whose bytes should be in a range, in batches. */
async function* filesIn({ db }: Services, { after, upTo }: BlobKeyRange) {
  for (let last: string | undefined = after; last !== undefined; ) {
    const files: StoredFile[] = await listFilesByBlobKey(db, { after: last, upTo }, BATCH_SIZE);
    yield files;
    last = files.length < BATCH_SIZE ? undefined : files.at(-1)?.blob_key;
  }
}

/** Counts the files without bytes, except those that were deleted or replaced since they were listed. */
async function noteLost({ db }: Services, files: StoredFile[], findings: Findings): Promise<void> {
  if (files.length === 0) return;
  const keys = files.map(({ blob_key }) => blob_key);
  const named = new Set(await listKnownFileBlobKeys(db, keys));
  const lost = files.filter(({ blob_key }) => named.has(blob_key)).map(({ uuid }) => uuid);
  findings.lost += lost.length;
  findings.lostUuids.push(...lost.slice(0, LOGGED_MAX - findings.lostUuids.length));
}
