import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { BlobNotFoundError, type BlobStore } from '../../blob/blob-store.ts';
import { isSystemError } from '../../blob/disk.ts';
import { readLines } from '../../lib/line-file.ts';
import type { BlobRow } from '../../store/backup/blob-row.ts';
import { type BackupDirectory, BLOBS_FILE } from './directory.ts';

/** The bytes of a blob are missing, cut, unreadable or changed. */
export class DamagedBlobError extends Error {
  override readonly name = 'DamagedBlobError';
}

/** Yields the blobs that a snapshot refers to, in the order of their keys. */
export async function* readBlobList(folder: string): AsyncGenerator<BlobRow> {
  for await (const line of readLines(join(folder, BLOBS_FILE))) yield JSON.parse(line) as BlobRow;
}

/** Returns whether a store has a blob, of that size. Reads none of its bytes. */
export async function hasBlob(store: BlobStore, { key, sizeBytes }: BlobRow): Promise<boolean> {
  try {
    return await store.withLocalFile(key, async (path) => (await fs.stat(path)).size === sizeBytes);
  } catch (error) {
    if (error instanceof BlobNotFoundError) return false;
    throw error;
  }
}

/** Returns whether the bytes of a blob have its digest. */
export async function isIntact(store: BlobStore, blob: BlobRow): Promise<boolean> {
  try {
    for await (const _ of checkedBytes(store, blob));
    return true;
  } catch (error) {
    if (error instanceof DamagedBlobError) return false;
    throw error;
  }
}

/**
 * Copies a blob from one store to another, and makes it durable. Throws DamagedBlobError, and stores nothing, if the
 * bytes do not have the digest.
 */
export async function copyBlob(from: BlobStore, to: BlobStore, blob: BlobRow): Promise<void> {
  // An interrupted copy may have left unreadable bytes, which only `delete` removes.
  await to.delete(blob.key);
  await to.put(blob.key, blob.sizeBytes, checkedBytes(from, blob));
}

async function* checkedBytes(store: BlobStore, { key, sizeBytes, md5 }: BlobRow) {
  const hash = createHash('md5');
  let readBytes = 0;
  try {
    for await (const piece of (await store.read(key)) as AsyncIterable<Buffer>) {
      hash.update(piece);
      readBytes += piece.length;
      yield piece;
    }
  } catch (cause) {
    const isOfDisk = cause instanceof BlobNotFoundError || isSystemError(cause, 'EIO');
    if (isOfDisk) throw new DamagedBlobError(`Blob ${key} cannot be read.`, { cause });
    throw cause;
  }
  if (readBytes !== sizeBytes || hash.digest('hex') !== md5)
    throw new DamagedBlobError(`Blob ${key} is damaged.`);
}

/** Deletes the blobs that none of the snapshots refers to. Uses constant memory. Returns how many. */
export async function pruneBlobs(
  { blobs, pathOf }: BackupDirectory,
  names: readonly string[],
): Promise<number> {
  const lists = names.map((name) => readBlobList(pathOf(name)));
  let count = 0;
  try {
    const heads = await Promise.all(lists.map(nextKey));
    for await (const { key } of blobs.list()) {
      let isNamed = false;
      for (const [index, list] of lists.entries()) {
        while ((heads[index] ?? LAST) < key) heads[index] = await nextKey(list);
        isNamed ||= heads[index] === key;
      }
      if (isNamed) continue;
      await blobs.delete(key);
      count += 1;
    }
  } finally {
    for (const list of lists) await list.return(undefined);
  }
  return count;
}

/** After all keys. */
const LAST = 'z';

async function nextKey(list: AsyncGenerator<BlobRow>): Promise<string> {
  const { value, done } = await list.next();
  return done ? LAST : value.key;
}
