import type { Readable } from 'node:stream';
import type { ByteRange } from './byte-range.ts';

/** An entry of a listing of blobs or of staged bytes. */
export interface BlobEntry {
  key: string;
  sizeBytes: number;
  /** Time of the last write to the bytes; a sweep spares bytes that may still be in use. */
  modifiedAt: Date;
}

/** A stream of the bytes of a blob. */
export interface BlobStream extends Readable {
  /**
   * Reuses the memory of a piece that the stream has emitted. For callers that finish with each piece quickly and read
   * many; nothing may read the piece afterwards. A caller that keeps pieces does not call it.
   */
  recycle?(piece: Uint8Array): void;
}

/** The error for a key under which there are no bytes. */
export class BlobNotFoundError extends Error {
  override readonly name = 'BlobNotFoundError';
  readonly key: string;

  constructor(key: string) {
    super(`There is no blob ${key}`);
    this.key = key;
  }
}

/** The error for a blob that has another size than its row says: a part of it is lost. */
export class BlobSizeError extends Error {
  override readonly name = 'BlobSizeError';

  constructor(key: string, sizeBytes: number) {
    super(`Blob ${key} does not have ${sizeBytes} bytes.`);
  }
}

/** The lifetime of a signed URL, and the headers of its response. */
export interface PresignOptions {
  expiresSeconds: number;
  contentType: string;
  contentDisposition: string;
  cacheControl: string;
}

/** Bytes to store, in pieces. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Stores immutable blobs under keys that the server created. A blob exists whole or not at all, and its bytes never
 * change: a caller never puts other bytes under a key that it has used before.
 *
 * When the promise of `put` resolves, the blob survives the loss of the process and of power. A deletion may be undone
 * by a power loss; no row refers to such a blob, so the next sweep deletes it again.
 *
 * The store takes no locks. Calls for different keys, and reads of one key, may overlap freely. `put` and `delete` of
 * one key must not; puts of the same bytes under one key may.
 *
 * Every method rejects with a plain Error, before it does anything, if the key is not 32 lower-case hexadecimal
 * characters.
 */
export interface BlobStore {
  /**
   * Stores all of `source` as the blob `key`. Readers see the whole blob or none of it.
   *
   * `sizeBytes` must be the exact size of `source`, because object storage asks for the size first; another size is an
   * Error. If `source` fails, rejects with the error of `source`. After a failure nothing is stored. Memory use is
   * constant. A process that dies within this call may leave unreadable bytes behind, which `list` and `delete` find.
   */
  put(key: string, sizeBytes: number, source: Pieces): Promise<void>;

  /**
   * Stores a local file as the blob `key` by moving it, without reading it. Returns false, and changes nothing, if the
   * file does not exist or the store cannot move it from where it is; the caller then uses `put`. The bytes of the file
   * must be durable before the call. Implemented only by stores that keep blobs on a local disk.
   */
  adopt?(key: string, path: string): Promise<boolean>;

  /**
   * Returns the size of a blob, or null if it does not exist. When this resolves, the blob is durable, even if the
   * process that stored it died before its `put` or `adopt` resolved.
   */
  stat(key: string): Promise<{ sizeBytes: number } | null>;

  /**
   * Opens a blob, or a range of it, for reading. The part of a range that lies past the last byte is left out.
   *
   * The blob is opened before the promise resolves: a blob that does not exist is a BlobNotFoundError here, when an
   * HTTP status can still be sent, and not an error of the stream. A range that starts past the last byte, or ends
   * before its start, is a RangeError. The caller must consume or destroy the stream; both release its resources. If
   * the blob is deleted in the meantime, the stream either emits all bytes or fails; it does not end early.
   */
  read(key: string, range?: ByteRange): Promise<BlobStream>;

  /**
   * Runs `work` with the path of a local file that holds the blob, for decoders that need random access. The file is
   * read-only and exists until `work` settles. A blob that does not exist, or is deleted while `work` fails, is a
   * BlobNotFoundError.
   */
  withLocalFile<T>(key: string, work: (path: string) => Promise<T>): Promise<T>;

  /**
   * Returns a URL from which anybody can download the blob until it expires, without this server. Does not check that
   * the blob exists. Implemented only by stores that clients can reach.
   */
  presign?(key: string, options: PresignOptions): Promise<string>;

  /** Deletes a blob, and what an interrupted `put` of it left behind. Does nothing if there is neither. */
  delete(key: string): Promise<void>;

  /**
   * Lists all blobs in ascending order of their keys, each key once, in bounded memory. A blob that is stored or
   * deleted meanwhile may be listed or not. An entry may also be what an interrupted `put` left behind: `read` does not
   * find it, and `delete` deletes it.
   */
  list(): AsyncIterable<BlobEntry>;

  /** Throws unless a blob can be written and made durable now. Leaves nothing behind. */
  check(): Promise<void>;
}
