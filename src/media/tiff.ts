import type { Extent } from './extent.ts';
import type { FileWindow } from './file-window.ts';

/** The tags that say where the pixels are: TIFF 6.0 §8 and §15. */
const TAG = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  stripOffsets: 273,
  samplesPerPixel: 277,
  stripByteCounts: 279,
  tileOffsets: 324,
  tileByteCounts: 325,
} as const;

/**
 * Maximum number of bytes that one compressed byte can stand for, by compression. LZW: a code of 12 bits names at most
 * 3,837 bytes; PackBits: 128 bytes for 2; deflate: 258 bytes for 2 bits; JPEG: a block of 64 samples for a bit. Other
 * compressions have no useful bound: a line of a fax takes one bit, whatever its width.
 */
const RATIOS: Readonly<Record<number, number>> = {
  1: 1,
  5: 2600,
  7: 512,
  8: 1032,
  32773: 64,
  32946: 1032,
};

/** Maximum number of strips or tiles that are read. Only hostile images have more. */
const PARTS_MAX = 1_000_000;

/** The entries of a directory, by their tags. */
export type Entries = ReadonlyMap<number, Entry>;

/** A directory entry. */
interface Entry {
  type: number;
  count: number;
  /** Position of the values in the file. */
  at: number;
}

/** How numbers are written. `isBig`: with addresses of 64 bits (BigTIFF). */
export interface Layout {
  isLittle: boolean;
  isBig: boolean;
}

/** A TIFF is cut off, rather than without room for its pixels, if it has at least this part of their bytes. */
const CUT_RATIO_MAX = 100;

/**
 * Returns whether the strips or tiles of the first page of a TIFF (TIFF 6.0, or BigTIFF) have enough bytes within the
 * file for its pixels.
 */
export async function readTiffExtent(window: FileWindow, sizeBytes: number): Promise<Extent> {
  const head = await window.at(0, 16);
  if (head.length < 8) return { isWhole: false, hasRoom: true };
  const isLittle = head.toString('latin1', 0, 2) === 'II';
  const layout = { isLittle, isBig: number(head, 2, 2, isLittle) === 43 };
  const start = layout.isBig ? number(head, 8, 8, isLittle) : number(head, 4, 4, isLittle);
  const entries = await readDirectory(window, start, layout);
  const one = async (tag: number, absent: number) =>
    (await valuesOf(window, entries.get(tag), layout, 1))[0] ?? absent;
  // Several strips may share their bytes, so this may be more than the file has.
  const dataBytes = await countDataBytes(window, entries, layout, sizeBytes);
  const ratio = RATIOS[await one(TAG.compression, 1)];
  if (ratio === undefined || dataBytes === 0) {
    return { isWhole: dataBytes > 0, hasRoom: dataBytes > 0 };
  }
  const pixels = (await one(TAG.width, 0)) * (await one(TAG.height, 0));
  const bits = (await one(TAG.bitsPerSample, 1)) * (await one(TAG.samplesPerPixel, 1));
  const leastBytes = Math.floor((pixels * bits) / 8 / SUBSAMPLED);
  return {
    isWhole: leastBytes <= dataBytes * ratio,
    hasRoom: leastBytes <= dataBytes * Math.max(ratio, CUT_RATIO_MAX),
  };
}

/** With subsampled colors, an image stores at least a third of its samples: TIFF 6.0 §21. */
const SUBSAMPLED = 3;

/** Counts the bytes of all strips or tiles that lie within the file. */
async function countDataBytes(
  window: FileWindow,
  entries: Entries,
  layout: Layout,
  sizeBytes: number,
): Promise<number> {
  const offsets = entries.get(TAG.stripOffsets) ?? entries.get(TAG.tileOffsets);
  const counts = entries.get(TAG.stripByteCounts) ?? entries.get(TAG.tileByteCounts);
  const starts = await valuesOf(window, offsets, layout, PARTS_MAX);
  const sizes = await valuesOf(window, counts, layout, PARTS_MAX);
  return starts.reduce((sum, at, index) => {
    const restBytes = Math.max(0, sizeBytes - at);
    // Readers take the rest of the file if an old program has not written the size.
    return sum + Math.min(sizes[index] ?? restBytes, restBytes);
  }, 0);
}

/** Reads the directory at `start`: as much of it as the file has. */
export async function readDirectory(
  window: FileWindow,
  start: number,
  { isLittle, isBig }: Layout,
): Promise<Entries> {
  const entries = new Map<number, Entry>();
  const [countBytes, entryBytes, valueAt] = isBig ? [8, 20, 12] : [2, 12, 8];
  const head = await window.at(start, countBytes);
  if (head.length < countBytes) return entries;
  const count = number(head, 0, countBytes, isLittle);
  for (let index = 0; index < Math.min(count, 65_535); index++) {
    const at = start + countBytes + index * entryBytes;
    const entry = await window.at(at, entryBytes);
    if (entry.length < entryBytes) break;
    const type = number(entry, 2, 2, isLittle);
    const values = number(entry, 4, valueAt - 4, isLittle);
    const isInline = values * (SIZES[type] ?? 1) <= entryBytes - valueAt;
    const position = isInline
      ? at + valueAt
      : number(entry, valueAt, entryBytes - valueAt, isLittle);
    entries.set(number(entry, 0, 2, isLittle), { type, count: values, at: position });
  }
  return entries;
}

/** Sizes of the integer types, in bytes: BYTE, SHORT, LONG, IFD, LONG8. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 13: 4, 16: 8 };

/** Returns the position of the directory after the one at `start`; 0 if it is the last. */
export async function nextDirectory(
  window: FileWindow,
  start: number,
  { isLittle, isBig }: Layout,
): Promise<number> {
  const [countBytes, entryBytes, addressBytes] = isBig ? [8, 20, 8] : [2, 12, 4];
  const head = await window.at(start, countBytes);
  if (head.length < countBytes) return 0;
  const end = start + countBytes + number(head, 0, countBytes, isLittle) * entryBytes;
  const next = await window.at(end, addressBytes);
  return next.length < addressBytes ? 0 : number(next, 0, addressBytes, isLittle);
}

/** Returns the first `max` integers of an entry, as far as the file has them. */
export async function valuesOf(
  window: FileWindow,
  entry: Entry | undefined,
  { isLittle }: Layout,
  max: number,
): Promise<number[]> {
  const size = entry === undefined ? undefined : SIZES[entry.type];
  if (entry === undefined || size === undefined) return [];
  const values: number[] = [];
  while (values.length < Math.min(entry.count, max)) {
    const bytes = await window.at(entry.at + values.length * size, size);
    if (bytes.length < size) break;
    const here = Math.min(
      Math.floor(bytes.length / size),
      Math.min(entry.count, max) - values.length,
    );
    for (let index = 0; index < here; index++) {
      values.push(number(bytes, index * size, size, isLittle));
    }
  }
  return values;
}

function number(bytes: Buffer, at: number, size: number, isLittle: boolean): number {
  if (size === 8) return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  return isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
}
