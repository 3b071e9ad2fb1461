import type { BlobEntry, BlobStream } from './blob-store.ts';
import type { ByteRange } from './byte-range.ts';

/** What the caller of `append` knows. */
export interface AppendOptions {
  /** Upper limit of the size of all staged bytes. (Default: 1 GiB) Bytes may exceed it, up to a hundred times. */
  totalBytesMax?: number;
  /** Called right before each write. It throws if the caller may not write any more; `append` then rejects with its error. */
  check?: () => void;
}

/** An append that another process has overtaken: nothing of it is staged. A caller whose lock holds never gets it. */
export class StagingConflictError extends Error {
  override readonly name = 'StagingConflictError';

  constructor(key: string) {
    super(`Another process has changed the staged bytes ${key}`);
  }
}

/**
 * Holds bytes that are still arriving. Staged bytes grow by appends until `promote` makes them a blob of the blob store
 * that this staging area belongs to, or `discard` deletes them.
 *
 * When the promise of `append` or `promote` resolves, its effect survives the loss of the process and of power. A
 * deletion may be undone by a power loss; the next sweep deletes such bytes again.
 *
 * Staging takes no locks. The caller must serialise `append`, `promote` and `discard` of one key across all processes;
 * only concurrent promotions of one key are safe. Reads, and calls for different keys, may overlap freely.
 *
 * Every method rejects with a plain Error, before it does anything, if the key is not 32 lower-case hexadecimal
 * characters.
 */
export interface Staging {
  /**
   * Whether staged bytes are files of this machine. If not, reading them may take long: bytes of a size that object storage
   * wants in parts can be read only once they are an object, and cannot grow any more then.
   */
  readonly isLocal: boolean;

  /**
   * Writes all of `source` at `offsetBytes` of the staged bytes. Returns the number of bytes written once they are
   * durable and may be acknowledged.
   *
   * `offsetBytes` is the number of bytes acknowledged so far. Staged bytes past it are left over from an append that
   * failed and are cut off first. At offset 0 the staged bytes are created, in place of any leftovers. At a higher
   * offset they must exist (BlobNotFoundError) and reach the offset (Error): a gap would later be served as zeros.
   *
   * If `source` fails, rejects with the error of `source`. After any failure the bytes before `offsetBytes` are
   * unchanged. If the key or the offset is rejected, `source` is not read; if the disk fails, `source` is not read to
   * its end. Memory use is constant: `source` is never read far ahead of what is written. A piece that `source` has
   * yielded belongs to the staging area and must not be changed any more.
   */
  append(
    key: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    options?: AppendOptions,
  ): Promise<number>;

  /**
   * Opens staged bytes, or a range of them, for reading; bytes that were promoted already are read from the blob store.
   * A caller that died between `promote` and its own bookkeeping can so read them again. Follows the rules of
   * `BlobStore.read`, BlobNotFoundError and RangeError included.
   */
  read(key: string, range?: ByteRange): Promise<BlobStream>;

  /**
   * Runs `work` with the path of a local file that holds the staged bytes, or the blob if they were promoted already.
   * The file is read-only and exists until `work` settles, with one exception: a concurrent promotion may remove it
   * while `work` runs; if `work` then fails, it runs again with the file of the blob. Throws BlobNotFoundError if there
   * are neither staged bytes nor a blob.
   */
  withLocalFile<T>(key: string, work: (path: string) => Promise<T>): Promise<T>;

  /**
   * Makes the first `sizeBytes` staged bytes a blob of the same key, and cuts off the rest. Readers see the whole blob
   * or none of it.
   *
   * May be repeated: a call for bytes that were promoted already, with the same size, succeeds, and makes durable what
   * an interrupted call may not have. A caller that died between this and its own bookkeeping therefore calls it again.
   * Fewer than `sizeBytes` staged bytes, or a blob of another size, is an Error and changes nothing. Throws
   * BlobNotFoundError if there are neither staged bytes nor a blob.
   */
  promote(key: string, sizeBytes: number): Promise<void>;

  /** Deletes staged bytes; does nothing if there are none. Never deletes a blob. */
  discard(key: string): Promise<void>;

  /** Returns the number of staged bytes, or null if there are none; a blob of the key does not count. */
  stat(key: string): Promise<{ sizeBytes: number } | null>;

  /**
   * Lists all staged bytes, in no particular order, in bounded memory. Bytes that are promoted meanwhile are listed
   * here, or by a listing of the blob store that begins after this one has ended.
   */
  list(): AsyncIterable<BlobEntry>;

  /** Returns how many bytes can still be staged: the free space of the disk, infinite for object storage. */
  freeBytes(): Promise<number>;

  /** Throws unless bytes can be staged and made durable now. Leaves nothing behind. */
  check(): Promise<void>;

  /** Gives back what is kept open for the next append. Call it at the end, when no call is running. */
  close(): void;
}
