import type { OpenSource } from '../../source.ts';
import type { DrawnImage, Pixels } from '../decoder.ts';
import { createRowConverter, type RasterLimits, rowBytes } from './bitmap.ts';
import { type BitmapHeader, readBitmapHeader } from './bitmap-header.ts';
import { checkSize, damaged, readAt, readWhole, unknownVariant } from './read.ts';

/** Maximum number of images of an icon to consider. */
const IMAGES_MAX = 256;
const DIRECTORY_BYTES = 6;
const ENTRY_BYTES = 16;

/** The greatest image of an icon that programs write is a PNG of 256 × 256. */
const IMAGE_BYTES_MAX = 16 * 1024 * 1024;
const SIDE_MAX = 1024;

interface IconEntry {
  side: number;
  bits: number;
  at: number;
  sizeBytes: number;
}

/** Draws the largest image of an icon or a cursor of Windows. Throws PreviewError if it cannot be drawn. */
export async function drawIcon(source: OpenSource, limits: RasterLimits): Promise<DrawnImage> {
  const [first, ...others] = await entriesOf(source);
  if (first === undefined) throw damaged();
  try {
    return await drawEntry(source, first, limits);
  } catch (error) {
    // If the file is cut off, the largest image is: it usually comes last.
    const [second] = others;
    if (second === undefined) throw error;
    return drawEntry(source, second, limits);
  }
}

/** Returns the images, the largest one first, and among equals that with the most colors. */
async function entriesOf(source: OpenSource): Promise<IconEntry[]> {
  const head = await readWhole(source, 0, DIRECTORY_BYTES);
  const isCursor = head.readUInt16LE(2) === 2;
  const count = Math.min(head.readUInt16LE(4), IMAGES_MAX);
  const directory = await readAt(source, DIRECTORY_BYTES, count * ENTRY_BYTES);
  const entries: IconEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= directory.length; at += ENTRY_BYTES) {
    entries.push({
      // 0 stands for 256.
      side: directory[at] || 256,
      // A cursor has its hot spot there.
      bits: isCursor ? 0 : directory.readUInt16LE(at + 6),
      sizeBytes: directory.readUInt32LE(at + 8),
      at: directory.readUInt32LE(at + 12),
    });
  }
  return entries.sort((a, b) => b.side - a.side || b.bits - a.bits);
}

async function drawEntry(
  source: OpenSource,
  { at, sizeBytes }: IconEntry,
  { pixelsMax }: RasterLimits,
): Promise<DrawnImage> {
  const start = await readWhole(source, at, 8);
  if (start.toString('latin1', 1, 4) === 'PNG') {
    return { bytes: await readAt(source, at, Math.min(sizeBytes, IMAGE_BYTES_MAX)) };
  }
  const double = await readBitmapHeader(source, at);
  // The height counts the mask as well.
  const header = { ...double, height: Math.floor(double.height / 2) };
  checkSize(header.width, header.height, Math.min(pixelsMax, SIDE_MAX * SIDE_MAX));
  if (header.packing !== 'none' || header.bitsPerPixel === 0) throw unknownVariant();
  return readIconPixels(source, header);
}

async function readIconPixels(source: OpenSource, header: BitmapHeader): Promise<Pixels> {
  const { width, height, bitsPerPixel, end } = header;
  const strideBytes = rowBytes(width, bitsPerPixel);
  const colors = await readWhole(source, end, strideBytes * height);
  const maskStart = end + strideBytes * height;
  const maskBytes = rowBytes(width, 1);
  const mask = await readAt(source, maskStart, maskBytes * height);
  const pixels = new Uint8Array(width * height * 4);
  const convert = createRowConverter(header, 4);
  const rowOf = (y: number) => (header.isTopDown ? y : height - 1 - y);
  for (let y = 0; y < height; y++) {
    const at = rowOf(y) * strideBytes;
    convert(colors.subarray(at, at + strideBytes), pixels.subarray(y * width * 4));
  }
  // Icons of 32 bits have an alpha channel; those of old programs leave it empty, and only their mask counts.
  if (bitsPerPixel === 32 && hasAlpha(pixels)) return { pixels, width, height, channels: 4 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = mask[rowOf(y) * maskBytes + (x >> 3)] ?? 0;
      const isHidden = ((byte >> (7 - (x & 7))) & 1) === 1;
      pixels[(y * width + x) * 4 + 3] = isHidden ? 0 : 255;
    }
  }
  return { pixels, width, height, channels: 4 };
}

function hasAlpha(pixels: Uint8Array): boolean {
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 0) return true;
  return false;
}
