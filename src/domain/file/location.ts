import { Readable } from 'node:stream';
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

/** Memory of a patch without its bytes, and of a file without its patches. */
const OVERHEAD_BYTES = 200;

interface Kept {
  /** By blob key, because the bytes of a key never change; least recently used first. */
  found: Map<string, Patch[]>;
  /** Running searches, by blob key. */
  searches: Map<string, Promise<Patch[]>>;
  bytes: number;
}

const kept = new WeakMap<Services['blobs'], Kept>();

/**
 * Returns the patches that remove the location from a file; empty if it has none. Searches a file once and keeps the
 * patches in memory. Throws BlobNotFoundError.
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

/** Returns the bytes of a file from `position` on with the patches applied. Copies bytes in memory, which are shared. */
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
  // In object mode, because a byte stream would join pieces, and their memory could not be recycled.
  const stream = Readable.from(pieces(), { objectMode: true, highWaterMark: 1 });
  // The generator does not run its cleanup if nobody has begun to read.
  stream.once('close', () => bytes.destroy());
  const { recycle } = bytes;
  return recycle === undefined ? stream : Object.assign(stream, { recycle: recycle.bind(bytes) });
}
