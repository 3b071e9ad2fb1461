import type { OpenSource } from '../../source.ts';
import type { DrawLimits, DrawnImage } from '../decoder.ts';
import { type BitmapHeader, readBitmapHeader } from './bitmap-header.ts';
import { unpackRuns } from './bitmap-run.ts';
import { checkSize, damaged, readAt, readWhole, unknownVariant } from './read.ts';
import { createShrinker } from './shrink.ts';

/** The limits of drawing an image. */
export type RasterLimits = Pick<DrawLimits, 'sideMax' | 'pixelsMax'>;

const FILE_HEADER_BYTES = 14;

/** Maximum size of a JPEG, a PNG or runs in a bitmap. */
const PACKED_BYTES_MAX = 64 * 1024 * 1024;

/** Draws a BMP file, of Windows or OS/2. Throws PreviewError if it cannot be drawn. */
export async function drawBitmap(source: OpenSource, limits: RasterLimits): Promise<DrawnImage> {
  const head = await readWhole(source, 0, FILE_HEADER_BYTES);
  const header = await readBitmapHeader(source, FILE_HEADER_BYTES);
  const declared = head.readUInt32LE(10);
  const start = declared >= FILE_HEADER_BYTES ? declared : header.end;
  if (header.packing === 'jpeg' || header.packing === 'png') {
    return { bytes: await readAt(source, start, PACKED_BYTES_MAX) };
  }
  checkSize(header.width, header.height, limits.pixelsMax);
  const rows = await rowsOf(source, header, start);
  const channels = header.masks[3] === 0 ? 3 : 4;
  const shrinker = createShrinker({ ...header, channels }, limits.sideMax);
  const convert = createRowConverter(header, channels);
  const pixels = new Uint8Array(header.width * channels);
  for (let y = 0; y < header.height; y++) {
    convert(await rows(header.isTopDown ? y : header.height - 1 - y), pixels);
    shrinker.add(pixels);
  }
  return shrinker.finish();
}

/** Returns the number of bytes of a row: rows end at a multiple of four bytes. */
export function rowBytes(width: number, bitsPerPixel: number): number {
  return Math.ceil((width * bitsPerPixel) / 32) * 4;
}

type Rows = (index: number) => Promise<Buffer> | Buffer;

/** Returns a function that returns the rows as they are in the file. */
async function rowsOf(source: OpenSource, header: BitmapHeader, start: number): Promise<Rows> {
  const { width, height, bitsPerPixel, packing } = header;
  if (packing === 'runs') {
    if (bitsPerPixel !== 4 && bitsPerPixel !== 8) throw unknownVariant();
    const packed = await readAt(source, start, PACKED_BYTES_MAX);
    const indexes = unpackRuns(packed, { width, height, bitsPerPixel });
    return (index) => indexes.subarray(index * width, (index + 1) * width);
  }
  if (bitsPerPixel === 0) throw unknownVariant();
  const strideBytes = rowBytes(width, bitsPerPixel);
  // Such a file would cost as much as one with all of its pixels.
  if (start + (strideBytes * height) / 2 > source.sizeBytes) throw damaged();
  return async (index) => {
    const row = Buffer.alloc(strideBytes);
    await source.read(row, strideBytes, start + index * strideBytes);
    return row;
  };
}

/** Converts a row of the file to `pixels`. */
type RowConverter = (row: Buffer, pixels: Uint8Array) => void;

/** Returns a function that converts rows to RGB, or to RGBA with the alpha of a mask or, without one, of the fourth byte. */
export function createRowConverter(header: BitmapHeader, channels: 3 | 4): RowConverter {
  const { bitsPerPixel, packing, width } = header;
  if (bitsPerPixel === 24) return (row, pixels) => swapBytes(row, pixels, width, channels);
  if (bitsPerPixel > 8) return createMaskConverter(header, channels);
  const bits = packing === 'runs' ? 8 : bitsPerPixel;
  return (row, pixels) => {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      const byte = row[bit >> 3] ?? 0;
      const color = ((byte >> (8 - bits - (bit & 7))) & (2 ** bits - 1)) * 3;
      const at = x * channels;
      for (let part = 0; part < 3; part++) pixels[at + part] = header.palette[color + part] ?? 0;
      if (channels === 4) pixels[at + 3] = 255;
    }
  };
}

function swapBytes(row: Buffer, pixels: Uint8Array, width: number, channels: 3 | 4): void {
  for (let x = 0; x < width; x++) {
    const at = x * channels;
    for (let part = 0; part < 3; part++) pixels[at + part] = row[x * 3 + 2 - part] ?? 0;
    if (channels === 4) pixels[at + 3] = 255;
  }
}

function createMaskConverter({ masks, bitsPerPixel, width }: BitmapHeader, channels: 3 | 4) {
  const bytes = bitsPerPixel / 8;
  const [red, green, blue, alpha] = masks;
  const used = [red, green, blue, alpha || (bitsPerPixel === 32 ? 0xff000000 : 0)];
  const parts = used.slice(0, channels).map(toPart);
  const convert: RowConverter = (row, pixels) => {
    for (let x = 0; x < width; x++) {
      const value = row.readUIntLE(x * bytes, bytes);
      for (let part = 0; part < channels; part++) {
        const { shift, max, mask } = parts[part] ?? EMPTY;
        pixels[x * channels + part] = max === 0 ? 0 : (((value & mask) >>> shift) * 255) / max;
      }
    }
  };
  return convert;
}

const EMPTY = { mask: 0, shift: 0, max: 0 };

function toPart(mask: number) {
  if (mask === 0) return EMPTY;
  const shift = 31 - Math.clz32(mask & -mask);
  return { mask, shift, max: mask >>> shift };
}
