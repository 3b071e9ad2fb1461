import type { ByteSource } from '../file/details.ts';
import { findInIptc } from './iptc-location.ts';
import { clipped, moved, overwrite, type Patch, zeros, zerosOnce } from './patch.ts';
import { findInResources } from './photoshop-location.ts';
import { readBuffer, sourceOf } from './window.ts';
import { findInXmp } from './xmp-location.ts';

/** The patches of a TIFF structure. */
interface TiffFindings {
  patches: Patch[];
  /** Whether a part of it could not be understood: it may hold a location that has not been found. */
  isBroken: boolean;
}

/** Tags that point to other directories: Exif, interoperability, and images inside. */
const DIRECTORIES: ReadonlySet<number> = new Set([0x8769, 0xa005, 0x014a]);
const GPS = 0x8825;

/** Other standards in a tag. */
const EMBEDDED: Readonly<Record<number, (bytes: Buffer) => Patch[]>> = {
  700: findInXmp,
  33723: findInIptc,
  34377: findInResources,
};

/** Size of the values of a type, in bytes, by its number (TIFF 6.0 §2 and BigTIFF). */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

const DIRECTORIES_MAX = 200;

/** Entries of all directories that are read, and pointers to directories. */
const ENTRIES_MAX = 20_000;
const EMBEDDED_BYTES_MAX = 16 * 1024 * 1024;

interface Layout {
  isLittle: boolean;
  isBig: boolean;
}

interface Directory {
  at: number;
  kind: 'main' | 'gps';
  /** Removes the pointer to it. */
  unlink: Patch | null;
}

interface Walk extends Layout {
  source: ByteSource;
  patches: Patch[];
  isBroken: boolean;
  queue: Directory[];
  seen: Set<string>;
  entriesLeft: number;
  /** Bytes in tags of other standards that may still be searched. Many tags may point to the same bytes. */
  embeddedBytesLeft: number;
}

/**
 * Finds location in a TIFF structure (TIFF 6.0, BigTIFF), which a block of EXIF is: GPS directories, wherever they are,
 * become empty, and the names of places in embedded XMP and IPTC blank. A pointer to a directory that lies outside of the
 * source, or cannot be read, is removed. Positions count from the beginning of the source.
 */
export async function findInTiff(
  source: ByteSource,
  kind: Directory['kind'] = 'main',
): Promise<TiffFindings> {
  const head = await readBuffer(source, 0, 16);
  const layout = layoutOf(head);
  if (layout === null) return { patches: [], isBroken: true };
  const walk: Walk = {
    ...layout,
    source,
    patches: [],
    isBroken: false,
    queue: [],
    seen: new Set(),
    entriesLeft: ENTRIES_MAX,
    embeddedBytesLeft: Math.min(EMBEDDED_BYTES_MAX, source.sizeBytes),
  };
  const first = layout.isBig ? numberAt(head, 8, 8, walk) : numberAt(head, 4, 4, walk);
  enqueue(walk, { at: first, kind, unlink: null });
  for (let next = walk.queue.shift(); next !== undefined; next = walk.queue.shift()) {
    if (!(await readDirectory(walk, next))) leaveOut(walk, next);
  }
  return { ...walk, patches: zerosOnce(clipped(walk.patches, source.sizeBytes)) };
}

/** Adds a directory to the queue, unless it has been there before. Returns false if there are too many. */
function enqueue(walk: Walk, directory: Directory): boolean {
  const name = `${directory.kind} ${directory.at}`;
  if (walk.seen.has(name)) return true;
  if (walk.seen.size >= DIRECTORIES_MAX) {
    leaveOut(walk, directory);
    return false;
  }
  walk.seen.add(name);
  walk.queue.push(directory);
  return true;
}

function leaveOut(walk: Walk, { unlink }: Directory): void {
  walk.isBroken = true;
  if (unlink !== null) walk.patches.push(unlink);
}

/** Finds location in a block of EXIF, from its byte order on. A block that cannot be understood is removed whole. */
export async function findInExif(block: Buffer, kind?: Directory['kind']): Promise<Patch[]> {
  const { patches, isBroken } = await findInTiff(sourceOf(block), kind);
  return isBroken ? [zeros(0, block.length)] : patches;
}

/** The numbers of TIFF, BigTIFF, and of the raw formats of Olympus and Panasonic. */
const MAGIC: ReadonlySet<number> = new Set([42, 43, 0x4f52, 0x5352, 0x55]);

function layoutOf(head: Buffer): Layout | null {
  const order = head.toString('latin1', 0, 2);
  if (head.length < 8 || (order !== 'II' && order !== 'MM')) return null;
  const isLittle = order === 'II';
  const magic = numberAt(head, 2, 2, { isLittle });
  const isBig = magic === 43;
  if (!MAGIC.has(magic) || (isBig && head.length < 16)) return null;
  return { isLittle, isBig };
}

/** Returns false for a directory that does not lie in the source. */
async function readDirectory(walk: Walk, { at, kind }: Directory): Promise<boolean> {
  const [countBytes, entryBytes, wordBytes] = walk.isBig ? [8, 20, 8] : [2, 12, 4];
  const head = await readBuffer(walk.source, at, countBytes);
  if (at < 8 || head.length < countBytes) return false;
  const count = numberAt(head, 0, countBytes, walk);
  walk.entriesLeft -= count;
  if (count > 65_535 || walk.entriesLeft < 0) return false;
  const bodyBytes = count * entryBytes;
  const body = await readBuffer(walk.source, at + countBytes, bodyBytes + wordBytes);
  if (body.length < bodyBytes) return false;
  for (let index = 0; index < count; index++) {
    const entry = body.subarray(index * entryBytes, (index + 1) * entryBytes);
    await readEntry(walk, kind, entry, at + countBytes + index * entryBytes);
  }
  if (kind === 'gps') walk.patches.push(...emptyGps(walk, at, countBytes + body.length));
  else if (body.length >= bodyBytes + wordBytes) {
    const next = numberAt(body, bodyBytes, wordBytes, walk);
    const unlink = zeros(at + countBytes + bodyBytes, wordBytes);
    // Some programs write any number after the last directory.
    if (next !== 0 && next < walk.source.sizeBytes) enqueue(walk, { at: next, kind, unlink });
    else if (next !== 0) walk.patches.push(unlink);
  }
  return true;
}

/** A directory has at least one entry (TIFF 6.0 §2), so that the version of the GPS tags stays: it tells nothing. */
function emptyGps({ isLittle, isBig }: Walk, at: number, sizeBytes: number): Patch[] {
  const bytes = Buffer.alloc(sizeBytes);
  const countBytes = isBig ? 8 : 2;
  if (sizeBytes < countBytes + (isBig ? 20 : 12)) return [zeros(at, sizeBytes)];
  bytes[isLittle ? 0 : countBytes - 1] = 1;
  // Tag 0, four bytes: 2.3.0.0.
  bytes[countBytes + (isLittle ? 2 : 3)] = 1;
  bytes[countBytes + (isLittle ? 4 : isBig ? 11 : 7)] = 4;
  bytes.set([2, 3, 0, 0], countBytes + (isBig ? 12 : 8));
  return [overwrite(at, bytes)];
}

async function readEntry(
  walk: Walk,
  kind: Directory['kind'],
  entry: Buffer,
  at: number,
): Promise<void> {
  const wordBytes = walk.isBig ? 8 : 4;
  const tag = numberAt(entry, 0, 2, walk);
  const count = numberAt(entry, 4, wordBytes, walk);
  const lengthBytes = count * (SIZES[numberAt(entry, 2, 2, walk)] ?? 0);
  const isInline = lengthBytes <= wordBytes;
  const valueAt = isInline ? at + 4 + wordBytes : numberAt(entry, 4 + wordBytes, wordBytes, walk);
  const isInside = valueAt + lengthBytes <= walk.source.sizeBytes;
  if (kind === 'gps') {
    if (!isInline) walk.patches.push(zeros(valueAt, lengthBytes));
    if (!isInside) walk.isBroken = true;
    return;
  }
  if (tag === GPS || DIRECTORIES.has(tag)) {
    const unlink = zeros(at, entry.length);
    const pointers = await pointersAt(walk, valueAt, isInline ? entry.length : lengthBytes);
    walk.entriesLeft -= pointers.length;
    const target = tag === GPS ? 'gps' : 'main';
    pointers.every((pointer) => enqueue(walk, { at: pointer, kind: target, unlink }));
    return;
  }
  const find = EMBEDDED[tag];
  if (find === undefined || isInline) return;
  const isShort = lengthBytes <= walk.embeddedBytesLeft;
  if (isShort) walk.embeddedBytesLeft -= lengthBytes;
  const bytes = await readBuffer(walk.source, valueAt, isShort ? lengthBytes : 0);
  walk.patches.push(...(isShort ? moved(find(bytes), valueAt) : [zeros(valueAt, lengthBytes)]));
}

/** Returns the pointers of an entry. One whose type says nothing still has room for one. */
async function pointersAt(walk: Walk, at: number, lengthBytes: number): Promise<number[]> {
  const wordBytes = walk.isBig ? 8 : 4;
  const isOne = lengthBytes <= wordBytes || lengthBytes === (walk.isBig ? 20 : 12);
  const words = isOne ? 1 : Math.min(Math.floor(lengthBytes / wordBytes), DIRECTORIES_MAX);
  const bytes = await readBuffer(walk.source, at, words * wordBytes);
  const count = Math.floor(bytes.length / wordBytes);
  return Array.from({ length: count }, (_, index) =>
    numberAt(bytes, index * wordBytes, wordBytes, walk),
  );
}

function numberAt(
  bytes: Buffer,
  at: number,
  size: number,
  { isLittle }: Pick<Layout, 'isLittle'>,
): number {
  if (size === 8) return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  return isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
}
