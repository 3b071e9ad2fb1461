import { Readable } from 'node:stream';
import { BlobNotFoundError } from '../../blob/blob-store.ts';
import type { BlobBytes } from '../../blob/memory.ts';
import { findLocation, mayHaveLocation } from '../../media/location/find-location.ts';
import { applyPatches, type Patch, patched } from '../../media/location/patch.ts';
import type { Context, Services } from '../context.ts';
import { blobSource } from './blob-source.ts';

/** The columns of a file that its location depends on. */
interface LocatedFile {
  mime_type: string;
  size_bytes: number;
  blob_key: string;
}

/** Memory that the patches of all files may take, in bytes. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024;

/** Memory that a patch takes beside its bytes, and a file beside its patches. */
const OVERHEAD_BYTES = 200;

interface Kept {
  /** By blob key, whose bytes never change; the one that was used last is last. */
  found: Map<string, Patch[]>;
  /** What is being looked for. */
  searches: Map<string, Promise<Patch[]>>;
  bytes: number;
}

const kept = new WeakMap<Services['blobs'], Kept>();

/**
 * Returns the patches that remove the location from a file: none if it has none. They are looked for once, and kept in
 * memory. Throws BlobNotFoundError.
 */
export async function locationPatches(
  { blobs, settings }: Pick<Context, 'blobs' | 'settings'>,
  { mime_type, size_bytes, blob_key }: LocatedFile,
): Promise<Patch[]> {
  if (settings.stripLocation === 'never' || !mayHaveLocation(mime_type)) return [];
  const memory = kept.get(blobs) ?? { found: new Map(), searches: new Map(), bytes: 0 };
  kept.set(blobs, memory);
  const found = memory.found.get(blob_key);
  if (found !== undefined) {
    memory.found.delete(blob_key);
    memory.found.set(blob_key, found);
    return found;
  }
  const running = memory.searches.get(blob_key);
  if (running !== undefined) return running;
  const source = blobSource(blobs, { blobKey: blob_key, sizeBytes: size_bytes });
  const search = findLocation(source, mime_type);
  memory.searches.set(blob_key, search);
  try {
    const patches = await search;
    keep(memory, blob_key, patches);
    return patches;
  } finally {
    memory.searches.delete(blob_key);
  }
}

function keep(memory: Kept, blobKey: string, patches: Patch[]): void {
  memory.found.set(blobKey, patches);
  memory.bytes += weightOf(patches);
  for (const [oldest, dropped] of memory.found) {
    if (memory.bytes <= KEPT_BYTES_MAX) return;
    memory.bytes -= weightOf(dropped);
    memory.found.delete(oldest);
  }
}

function weightOf(patches: readonly Patch[]): number {
  return patches.reduce((sum, { bytes }) => sum + bytes.length + OVERHEAD_BYTES, OVERHEAD_BYTES);
}

/** Returns the bytes of a file from `position` on with the patches applied. Bytes in memory are others' too: a copy. */
export function withPatches(
  bytes: BlobBytes,
  position: number,
  patches: readonly Patch[],
): BlobBytes {
  if (Buffer.isBuffer(bytes)) {
    return patched(
      bytes,
      patches.map((patch) => ({ ...patch, offset: patch.offset - position })),
    );
  }
  async function* pieces() {
    let at = position;
    for await (const piece of bytes) {
      applyPatches(piece, at, patches);
      at += piece.length;
      yield piece;
    }
  }
  // Of objects: a stream of bytes would join pieces, whose memory could then not be used again.
  const stream = Readable.from(pieces(), { objectMode: true, highWaterMark: 1 });
  // Also if nobody has begun to read.
  stream.once('close', () => bytes.destroy());
  const { recycle } = bytes;
  return recycle === undefined ? stream : Object.assign(stream, { recycle: recycle.bind(bytes) });
}

/** Tells whether an error means that the bytes do not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof BlobNotFoundError;
}
