import { LRUCache } from 'lru-cache';
import { BlobSizeError, type BlobStore, type BlobStream } from './blob-store.ts';
import type { ByteRange } from './byte-range.ts';

/** The bytes of a blob: all at once, or a stream of them. */
export type BlobBytes = Buffer | BlobStream;

/** The use of the memory of a blob store, since its creation. */
export interface MemoryUse {
  hits: number;
  misses: number;
  /** Size of the kept blobs, with what each takes beside its bytes. */
  sizeBytes: number;
}

/** A blob store that keeps in memory the small blobs that were read last. */
export interface CachedBlobStore extends BlobStore {
  /**
   * Reads a blob of a known size, or a range that lies within it. A small blob is returned whole; nobody may change
   * its bytes, because others read them too. A larger one is a stream, as of `read`. Throws as `read` does, and
   * BlobSizeError if a small blob does not have this size.
   */
  readSized(key: string, sizeBytes: number, range?: ByteRange): Promise<BlobBytes>;

  /** Returns how the memory is used. Blobs that are too large for it count neither as hits nor as misses. */
  memoryUse(): MemoryUse;
}

/** Options of `withMemory`. */
export interface MemoryOptions {
  /** Size of all kept blobs, in bytes. (Default: 16 MiB, about a thousand thumbnails) */
  bytesMax?: number;
}

/** Size of the largest small blob: one piece of a stream, so that a stream of it would need the same memory. */
export const SMALL_BYTES = 256 * 1024;

/** Memory that a kept blob takes beside its bytes. */
const OVERHEAD_BYTES = 512;

/**
 * Adds the memory to a store. A blob never changes, so that its bytes need no check: whoever looks up its key in the
 * database sees each deletion and replacement, by whichever process. A blob that was deleted while it was read may stay
 * until others take its place; no row names its key.
 */
export function withMemory(
  store: BlobStore,
  { bytesMax = 16 * 2 ** 20 }: MemoryOptions = {},
): CachedBlobStore {
  const kept = new LRUCache<string, Buffer>({
    maxSize: bytesMax,
    sizeCalculation: ({ length }) => length + OVERHEAD_BYTES,
  });
  const use = { hits: 0, misses: 0 };
  async function load(key: string, sizeBytes: number): Promise<Buffer> {
    // Of its own: a part of Node's pool would keep all of the pool in memory.
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    let lengthBytes = 0;
    for await (const piece of await store.read(key)) {
      bytes.set((piece as Buffer).subarray(0, sizeBytes - lengthBytes), lengthBytes);
      lengthBytes += (piece as Buffer).length;
      if (lengthBytes > sizeBytes) break;
    }
    if (lengthBytes !== sizeBytes) throw new BlobSizeError(key, sizeBytes);
    kept.set(key, bytes);
    return bytes;
  }
  return {
    put: (key, sizeBytes, source) => store.put(key, sizeBytes, source),
    ...(store.adopt && { adopt: store.adopt.bind(store) }),
    ...(store.presign && { presign: store.presign.bind(store) }),
    stat: (key) => store.stat(key),
    read: (key, range) => store.read(key, range),
    async readSized(key, sizeBytes, range) {
      if (sizeBytes > SMALL_BYTES) return store.read(key, range);
      const known = kept.get(key);
      use[known === undefined ? 'misses' : 'hits']++;
      const bytes = known ?? (await load(key, sizeBytes));
      return range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
    },
    withLocalFile: (key, work) => store.withLocalFile(key, work),
    async delete(key) {
      kept.delete(key);
      await store.delete(key);
    },
    list: () => store.list(),
    check: () => store.check(),
    memoryUse: () => ({ ...use, sizeBytes: kept.calculatedSize }),
  };
}
