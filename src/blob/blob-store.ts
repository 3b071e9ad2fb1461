import type { Readable } from 'node:stream';

/** Bytes, both ends included, as in RFC 9110 §14.1.2: `{ start: 0, end: 0 }` is the first byte. */
export interface ByteRange {
  start: number;
  end: number;
}

/** One blob as `list()` meets it. */
export interface BlobEntry {
  key: string;
  area: 'staged' | 'stored';
  sizeBytes: number;
  /** When its bytes were last written, so that a sweep can spare what is being worked on. */
  modifiedAt: Date;
}

/** The bytes of a blob on their way out. */
export interface BlobStream extends Readable {
  /**
   * Takes back the memory of a piece that the stream gave, to read another into it: for a caller that is done with each piece
   * soon, and has many. From then on nobody may look at the piece. A caller that keeps pieces does not call it.
   */
  recycle?(piece: Uint8Array): void;
}

/** No blob has this key in the area that was asked for. */
export class BlobNotFoundError extends Error {
  override readonly name = 'BlobNotFoundError';
  readonly key: string;

  constructor(key: string) {
    super(`There is no blob ${key}`);
    this.key = key;
  }
}

/**
 * Keeps bytes under keys that the server made. A blob begins *staged*, grows by appends, and
 * becomes *stored* by `commit`; from then on its bytes never change. What a method resolved to
 * survives the loss of the process and of power. Removals alone may come undone: a blob that is
 * back after a power cut has no row, and the sweep takes it.
 *
 * The store takes no locks. `append`, `commit` and `discard` of one staged key are the caller's to
 * serialise, across all processes; only racing commits of one key are safe. Reads, and calls for
 * different keys, may overlap freely.
 *
 * Every method refuses a key that is not 32 lower-case hexadecimal characters with a plain Error,
 * before it touches anything: no such key was ever made here, so it is a bug and nothing a client
 * can cause.
 */
export interface BlobStore {
  /**
   * Writes all of `source` at `offsetBytes` of the staged blob, and resolves with the count of
   * bytes written once they are durable: from then on they may be acknowledged.
   *
   * `offsetBytes` is what was acknowledged so far. Bytes staged past it are leftovers of an append
   * that failed, and are cut off first. At 0 the blob is created, in place of any leftovers. Above
   * 0 it must exist (BlobNotFoundError) and hold that many bytes (Error): a gap would one day be
   * served as zeros.
   *
   * When `source` fails, rejects with the very error it failed with. Whatever goes wrong, the bytes
   * before `offsetBytes` are as they were. A refused key or offset leaves `source` unread; a
   * failing disk ends it early. Memory is constant: `source` is never far ahead of what is written.
   * A piece belongs to the store once it is yielded, and must not be changed any more.
   */
  append(key: string, offsetBytes: number, source: AsyncIterable<Uint8Array>): Promise<number>;

  /**
   * Path of the staged bytes, whether or not there are any, for probes that need random access.
   * Staging is a local file even where stored blobs are not. `commit` and `discard` make the path
   * void.
   */
  stagedPath(key: string): string;

  /**
   * Runs `work` with the path of a local file that has the bytes, staged or already committed: what
   * a caller that died between `commit` and its own bookkeeping probes again. When a racing
   * `commit` makes the path void meanwhile, `work` may fail, and is run again with the new one. The
   * path is good until `work` is settled. No bytes at all is BlobNotFoundError.
   */
  withLocalFile<T>(key: string, work: (path: string) => Promise<T>): Promise<T>;

  /**
   * Makes the staged blob, cut to `sizeBytes`, the stored one. A reader sees all of it or nothing.
   *
   * May be repeated: a call for what is stored already, in the same size, succeeds, and makes
   * durable what an earlier call may not have. So a caller that died between this and its own
   * bookkeeping simply calls again. Fewer than `sizeBytes` bytes is an Error and changes nothing;
   * neither staged nor stored is BlobNotFoundError.
   */
  commit(key: string, sizeBytes: number): Promise<void>;

  /** Removes staged bytes. There may be none. */
  discard(key: string): Promise<void>;

  /** The size of a stored blob; null when there is none. */
  stat(key: string): Promise<{ sizeBytes: number } | null>;

  /**
   * The bytes of a stored blob, or of a range of it; what a range has past the last byte is left
   * out.
   *
   * The blob is opened before this resolves, so that its absence is BlobNotFoundError here, while a
   * status can still be sent, and no error of the stream. A range that begins past the last byte,
   * or is none (`end` before `start`), is a RangeError. The caller must consume or destroy the
   * stream: either releases what it holds. When the blob is deleted meanwhile, the stream gives all
   * its bytes or fails; it does not end early.
   */
  read(key: string, range?: ByteRange): Promise<BlobStream>;

  /** Deletes a stored blob. There may be none. */
  delete(key: string): Promise<void>;

  /**
   * Every staged and every stored blob, in no order, in constant memory. A blob that stays where it
   * is is listed once; one that is committed meanwhile at least once; one that comes or goes,
   * perhaps.
   */
  list(): AsyncIterable<BlobEntry>;

  /** Throws unless a blob can be written, made durable and moved into place now. Leaves nothing. */
  check(): Promise<void>;
}

const KEY = /^[0-9a-f]{32}$/;

/** Whether a name could be a key: tells blobs from what else lies in a directory or a bucket. */
export function isBlobKey(name: string): boolean {
  return KEY.test(name);
}

/** The gate between a key and a path: throws a plain Error for anything but a key. */
export function requireBlobKey(key: string): string {
  if (!isBlobKey(key)) throw new Error(`Not a blob key: ${JSON.stringify(key)}`);
  return key;
}

/** Throws a plain Error unless `count` can be an offset or a size. */
export function requireByteCount(count: number): number {
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`Not a count of bytes: ${count}`);
  return count;
}

/**
 * What of `range` a blob of `sizeBytes` has. Throws a RangeError if that is nothing, or it is no
 * range.
 */
export function clipByteRange({ start, end }: ByteRange, sizeBytes: number): ByteRange {
  const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0;
  if (!isRange || end < start || start >= sizeBytes) {
    throw new RangeError(`Bytes ${start} to ${end} are no range of ${sizeBytes} bytes`);
  }
  return { start, end: Math.min(end, sizeBytes - 1) };
}
