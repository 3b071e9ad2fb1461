import type { ByteRange } from '../byte-range.ts';
import type { S3Part } from './multipart.ts';

/**
 * The state of staged bytes. `open`: they can grow. `sealed`: they are an object under their key, whole, and no blob yet.
 * `reopened`: they can grow again, and the object that they were must be deleted before they become one.
 */
export type StagedState = 'open' | 'sealed' | 'reopened';

/** What the rows tell of staged bytes. */
export interface StagedBytes {
  key: string;
  /** Number of the bytes: all full parts that lie before it are in the bucket, and the rest is in pieces. */
  sizeBytes: number;
  /** Size of each part but the last. */
  partBytes: number;
  state: StagedState;
  /** Null until the first part is full, and once the bytes are sealed. */
  multipartId: string | null;
  /** Grows with each change; 0: no row has been written yet. */
  version: number;
  updatedAt: Date;
}

/** A change of staged bytes. */
export interface StagedChange {
  sizeBytes?: number;
  state?: StagedState;
  multipartId?: string | null;
  /** A part that is in the bucket, in place of one with its number. */
  part?: S3Part;
  /** Deletes the pieces, or their ends, from this offset on, before `pieces` are inserted. */
  cutAt?: number;
  /** Deletes the pieces before this offset: others must have acknowledged the parts that hold their bytes. */
  keptFrom?: number;
  /** Pieces of at most `PIECE_BYTES` to insert from this offset on. Reading them must take no request. */
  pieces?: { offsetBytes: number; source: AsyncIterable<Uint8Array> };
  /** Forgets all parts. */
  dropsParts?: boolean;
}

/** Maximum size of a piece: that of a chunk of the SelfCommunity dialect, so that such a chunk is one row. */
export const PIECE_BYTES = 204_800;

/** The rows of staged bytes, which all processes share. */
export interface StagedRows {
  find(key: string): Promise<StagedBytes | null>;
  /**
   * Makes a change, in one transaction, and returns what the row then tells. Inserts the row if it has version 0. Throws
   * StagingConflictError, and changes nothing, if the row has another version by now, or is gone.
   */
  save(staged: StagedBytes, change: StagedChange): Promise<StagedBytes>;
  /** Reads the bytes of a range from the pieces, in order. Ends early if they are gone. */
  read(key: string, range: ByteRange): AsyncIterable<Uint8Array>;
  /** Returns the parts that were noted, in the order of their numbers. */
  parts(key: string): Promise<S3Part[]>;
  /** Deletes all rows of staged bytes. Returns false if there were none. */
  remove(key: string): Promise<boolean>;
  /** Returns rows with keys after this one, in the order of the keys. */
  list(after: string, limit: number): Promise<StagedBytes[]>;
  /** Throws unless the database can be reached. */
  check(): Promise<void>;
}
