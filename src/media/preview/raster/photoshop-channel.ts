import type { OpenSource } from '../../source.ts';
import type { PhotoshopHeader, Section } from './photoshop-header.ts';
import { damaged, readAt, readWhole, unknownVariant } from './read.ts';

/** Returns the values of row `y`, a byte each, for each channel. */
type ChannelRows = (y: number) => Promise<Buffer[]>;

const PACKING = { none: 0, runs: 1 } as const;

/**
 * Returns a function that reads the rows of the flattened image, of its first `count` channels. Throws PreviewError if
 * the image is damaged, or packed in an unknown way.
 */
export async function channelRows(
  source: OpenSource,
  header: PhotoshopHeader,
  count: number,
): Promise<ChannelRows> {
  const packing = (await readWhole(source, header.imageAt, 2)).readUInt16BE(0);
  if (packing !== PACKING.none && packing !== PACKING.runs) throw unknownVariant();
  const rowBytes = Math.ceil((header.width * header.depth) / 8);
  const placeOf =
    packing === PACKING.none
      ? plainPlaces(source, header, rowBytes)
      : await packedPlaces(source, header, count);
  return async (y) => {
    const rows: Buffer[] = [];
    for (let channel = 0; channel < count; channel++) {
      const { at, sizeBytes } = placeOf(channel * header.height + y);
      const bytes = await readAt(source, at, sizeBytes);
      const row = packing === PACKING.none ? bytes : unpackBits(bytes, rowBytes);
      rows.push(header.depth === 16 ? highBytes(row) : row);
    }
    return rows;
  };
}

function plainPlaces(source: OpenSource, { imageAt, height }: PhotoshopHeader, rowBytes: number) {
  // Such a file would cost as much as one with all of its pixels.
  if (imageAt + (rowBytes * height) / 2 > source.sizeBytes) throw damaged();
  return (row: number): Section => ({ at: imageAt + 2 + row * rowBytes, sizeBytes: rowBytes });
}

/** The table of the sizes of all rows comes before the rows. */
async function packedPlaces(
  source: OpenSource,
  { imageAt, height, channels, isLarge }: PhotoshopHeader,
  count: number,
): Promise<(row: number) => Section> {
  const entryBytes = isLarge ? 4 : 2;
  const table = await readWhole(source, imageAt + 2, count * height * entryBytes);
  const rows = count * height;
  const starts = new Float64Array(rows + 1);
  starts[0] = imageAt + 2 + channels * height * entryBytes;
  for (let row = 0; row < rows; row++) {
    starts[row + 1] = (starts[row] ?? 0) + table.readUIntBE(row * entryBytes, entryBytes);
  }
  return (row) => {
    const at = starts[row] ?? 0;
    return { at, sizeBytes: Math.min((starts[row + 1] ?? at) - at, ROW_BYTES_MAX) };
  };
}

/** A packed row of the widest document, which has 300,000 pixels, of 16 bits. */
const ROW_BYTES_MAX = 1_000_000;

/** Unpacks PackBits (TIFF 6.0, §9). Missing bytes are 0. */
export function unpackBits(packed: Buffer, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let to = 0;
  for (let at = 0; at < packed.length && to < sizeBytes; ) {
    const code = packed.readInt8(at++);
    if (code >= 0) {
      packed.copy(bytes, to, at, at + code + 1);
      at += code + 1;
      to += code + 1;
    } else if (code !== -128) {
      bytes.fill(packed[at++] ?? 0, to, Math.min(to + 1 - code, sizeBytes));
      to += 1 - code;
    }
  }
  return bytes;
}

function highBytes(row: Buffer): Buffer {
  const bytes = Buffer.alloc(row.length >> 1);
  for (let index = 0; index < bytes.length; index++) bytes[index] = row[2 * index] ?? 0;
  return bytes;
}
