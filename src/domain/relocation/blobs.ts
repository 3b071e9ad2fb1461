import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobEntry, BlobNotFoundError, type BlobStore } from '../../blob/blob-store.ts';
import { isSystemError } from '../../blob/disk.ts';
import { forEachAtOnce } from '../../lib/at-once.ts';
import { readLines, writeLines } from '../../lib/line-file.ts';
import type { MovedBlob } from '../../store/relocation/blob-list.ts';
import { DamagedBlobError } from '../backup/blob-list.ts';

/** The stores of a move, and what has been done. */
export interface BlobMove {
  from: BlobStore;
  to: BlobStore;
  copied: { count: number; sizeBytes: number };
  /** Keys of blobs that could not be copied, because they are missing or damaged in the source. */
  damaged: Set<string>;
  signal: AbortSignal;
}

/** Later than all keys, which are hexadecimal. */
export const AFTER_ALL_KEYS = 'z';

/** Blobs that are copied at once: each waits for the disk or the network several times. */
const COPIES_MAX = 8;

/** Blobs between two notes of the place that a copy has reached. */
const NOTED_BLOBS = 200;

/**
 * Runs `work` with a new list of blobs in a temporary file, in the order in which `blobs` yields them, and deletes it. The
 * list of a large library does not fit into memory, and a transaction that reads it must not last as long as the copies.
 */
export async function withBlobList<T>(work: (path: string) => Promise<T>): Promise<T> {
  const directory = await fs.mkdtemp(join(tmpdir(), 'trivium-move-'));
  try {
    return await work(join(directory, 'blobs.ndjson.gz'));
  } finally {
    await fs.rm(directory, { recursive: true, force: true });
  }
}

/** Writes a list of blobs. */
export function writeBlobList(path: string, blobs: AsyncIterable<MovedBlob>): Promise<number> {
  async function* lines() {
    for await (const blob of blobs) yield JSON.stringify(blob);
  }
  return writeLines(path, lines());
}

/** Yields the blobs of a list. */
export async function* readBlobList(path: string): AsyncGenerator<MovedBlob> {
  for await (const line of readLines(path)) yield JSON.parse(line) as MovedBlob;
}

/** Options of `copyListed`. */
export interface CopyOptions {
  /** The blobs that the target has up to this key have been compared or copied by this move. */
  intactUpTo: string;
  /** Whether this run has already gone through a list: then a listing of the target tells what it has. */
  isSecond: boolean;
  /** Receives the last key up to which all blobs are done. */
  onReached: (key: string) => Promise<void>;
  onProgress: () => void;
}

/**
 * Copies the blobs of a list that the target does not have yet; the list is in the order of the keys. Bytes that are
 * there with the right size, and beyond `intactUpTo` with the right digest, are not copied again.
 */
export async function copyListed(
  move: BlobMove,
  path: string,
  { intactUpTo, isSecond, onReached, onProgress }: CopyOptions,
): Promise<void> {
  const copy = async ({ blob, listedBytes }: ListedBlob) => {
    const isListed = listedBytes === blob.sizeBytes;
    const isThere = isListed && (isSecond || (await isIntact(move, blob, blob.key <= intactUpTo)));
    if (!isThere) await copyBlob(move, blob);
    onProgress();
  };
  let batch: ListedBlob[] = [];
  const copyBatch = async () => {
    move.signal.throwIfAborted();
    await forEachAtOnce(batch, COPIES_MAX, copy);
    const last = batch.at(-1)?.blob.key;
    if (last !== undefined && last > intactUpTo) await onReached(last);
    batch = [];
  };
  for await (const blob of withListing(readBlobList(path), move.to.list())) {
    batch.push(blob);
    if (batch.length >= NOTED_BLOBS) await copyBatch();
  }
  await copyBatch();
}

/** Copies the blobs of a list, in any order, that the target does not have; those that it has are good. */
export async function copyMissing(move: BlobMove, path: string): Promise<void> {
  await forEachAtOnce(readBlobList(path), COPIES_MAX, async (blob) => {
    move.signal.throwIfAborted();
    if (!(await isIntact(move, blob, true))) await copyBlob(move, blob);
  });
}

interface ListedBlob {
  blob: MovedBlob;
  /** Its size in a listing of the target; null: it is not listed. */
  listedBytes: number | null;
}

/** Adds the sizes of a listing to a list of blobs. Both are in the order of the keys. */
async function* withListing(
  blobs: AsyncIterable<MovedBlob>,
  listing: AsyncIterable<BlobEntry>,
): AsyncGenerator<ListedBlob> {
  const entries = listing[Symbol.asyncIterator]();
  try {
    let entry = await entries.next();
    for await (const blob of blobs) {
      while (!entry.done && entry.value.key < blob.key) entry = await entries.next();
      const isListed = !entry.done && entry.value.key === blob.key;
      yield { blob, listedBytes: isListed ? entry.value.sizeBytes : null };
    }
  } finally {
    await entries.return?.();
  }
}

/** Tells whether the target has a blob. `isTrusted`: its size tells, because only this move has written it. */
async function isIntact({ to }: BlobMove, blob: MovedBlob, isTrusted: boolean): Promise<boolean> {
  // A listing also has what an interrupted `put` has left.
  const found = await to.stat(blob.key);
  if (found?.sizeBytes !== blob.sizeBytes) return false;
  if (isTrusted) return true;
  try {
    for await (const _ of checkedBytes(to, blob));
    return true;
  } catch (error) {
    if (error instanceof DamagedBlobError) return false;
    throw error;
  }
}

/** Copies a blob; one that is missing or damaged is noted, and nothing is stored. */
async function copyBlob(move: BlobMove, blob: MovedBlob): Promise<void> {
  const { from, to, copied, damaged } = move;
  try {
    // Other bytes under the key are what an interrupted copy has left.
    await to.delete(blob.key);
    await to.put(blob.key, blob.sizeBytes, checkedBytes(from, blob));
  } catch (error) {
    if (!(error instanceof DamagedBlobError)) throw error;
    damaged.add(blob.key);
    return;
  }
  const written = await to.stat(blob.key);
  if (written?.sizeBytes !== blob.sizeBytes)
    throw new Error(`The target has ${written?.sizeBytes ?? 'no'} bytes of the blob ${blob.key}.`);
  damaged.delete(blob.key);
  copied.count += 1;
  copied.sizeBytes += blob.sizeBytes;
}

/** Yields the bytes of a blob. Throws DamagedBlobError if they do not have its digests, before the last piece. */
async function* checkedBytes(store: BlobStore, { key, sizeBytes, md5, sha256 }: MovedBlob) {
  const hashes = [
    { hash: createHash('md5'), expected: md5 },
    ...(sha256 === null ? [] : [{ hash: createHash('sha256'), expected: sha256 }]),
  ];
  let readBytes = 0;
  try {
    for await (const piece of (await store.read(key)) as AsyncIterable<Buffer>) {
      for (const { hash } of hashes) hash.update(piece);
      readBytes += piece.length;
      yield piece;
    }
  } catch (cause) {
    const isOfDisk = cause instanceof BlobNotFoundError || isSystemError(cause, 'EIO');
    if (isOfDisk) throw new DamagedBlobError(`Blob ${key} cannot be read.`, { cause });
    throw cause;
  }
  const isGood = hashes.every(({ hash, expected }) => hash.digest('hex') === expected);
  if (readBytes !== sizeBytes || !isGood) throw new DamagedBlobError(`Blob ${key} is damaged.`);
}

/**
 * Compares the blobs of the target with those that rows name; both are in the order of the keys. Deletes the others:
 * their rows have been deleted since they were copied. Keeps objects that are staged bytes. Notes those that are missing.
 * Returns how many it has deleted.
 */
export async function compareBlobs(
  { to, damaged, signal }: BlobMove,
  named: AsyncIterable<MovedBlob>,
  isStaged: (key: string) => Promise<boolean>,
): Promise<number> {
  const others = named[Symbol.asyncIterator]();
  let count = 0;
  let next = await others.next();
  const skipTo = async (key: string) => {
    for (; !next.done && next.value.key < key; next = await others.next()) {
      damaged.add(next.value.key);
    }
  };
  for await (const { key } of to.list()) {
    signal.throwIfAborted();
    await skipTo(key);
    if (!next.done && next.value.key === key) {
      next = await others.next();
    } else if (!(await isStaged(key))) {
      await to.delete(key);
      count += 1;
    }
  }
  await skipTo(AFTER_ALL_KEYS);
  return count;
}
