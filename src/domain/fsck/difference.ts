import type { BlobReference } from '../../store/fsck/blob-reference.ts';
import type { Flaw } from './verify.ts';

/** What a difference between rows and bytes is about. */
export type DifferenceKind =
  | 'damaged-file'
  | 'damaged-rendition'
  | 'stale-mark'
  | 'orphaned-blob'
  | 'orphaned-staged'
  | 'lost-upload'
  | 'wrong-usage'
  | 'wrong-place'
  | 'wrong-visibility'
  | 'broken-database';

/** A difference between rows and bytes, or between rows. */
export interface Difference {
  kind: DifferenceKind;
  /** What is wrong, for people. */
  message: string;
  mediaId: number | null;
  /** The file name, or the name of a node. */
  name: string | null;
  blobKey: string | null;
  /** What was done about it, for people; null: nothing. */
  repair: string | null;
}

/** How a library is checked. */
export interface CheckOptions {
  /** Whether all bytes are read and their digests compared. */
  rehash: boolean;
  /** Whether differences are repaired. */
  repair: boolean;
  /** Bytes younger than this may belong to a request in progress. */
  graceMs: number;
  /** Time after which bytes without a row are looked at again: their deletion may be in progress. */
  settleMs: number;
  signal?: AbortSignal | undefined;
  /** Counts what has been compared. */
  progress: CheckProgress;
}

/** What has been compared so far. */
export interface CheckProgress {
  blobs: number;
  bytesRead: number;
}

/** Returns a difference, of which nothing is known but these properties. */
export function difference(
  kind: DifferenceKind,
  message: string,
  known: Partial<Omit<Difference, 'kind' | 'message'>> = {},
): Difference {
  return { kind, message, mediaId: null, name: null, blobKey: null, repair: null, ...known };
}

const FLAWS: Readonly<Record<Flaw, string>> = {
  missing: 'the bytes are missing',
  'wrong-size': 'the bytes have another size',
  'wrong-digest': 'the bytes do not have their digest',
  unreadable: 'the disk cannot read the bytes',
};

/** Returns the difference of a row whose bytes are damaged. */
export function damage(
  reference: BlobReference,
  flaw: Flaw,
  repair: string | null = null,
): Difference {
  const kind = reference.kind === 'rendition' ? 'damaged-rendition' : 'damaged-file';
  return difference(kind, FLAWS[flaw], { ...subjectOf(reference), repair });
}

/** Returns what a difference says of a row. */
export function subjectOf({ mediaId, filename, blobKey }: BlobReference) {
  return { mediaId, name: filename, blobKey };
}
