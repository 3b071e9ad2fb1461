import { exifOrientation } from './exif.ts';
import type { Extent } from './extent.ts';
import type { FileWindow } from './file-window.ts';

/** The size, frames and orientation of a WebP, read from its container. */
export interface WebpHeader {
  width: number;
  height: number;
  /** Number of frames; 1 for a still image. */
  frames: number;
  /** EXIF orientation, 1 to 8. */
  orientation: number;
}

/**
 * Reads the header of a WebP by walking its chunks (RFC 9649 §2). Returns `null` when the file ends
 * before its chunks, or when they do not form an image.
 *
 * libvips is not used because it allocates the whole canvas to read a header: glibc then keeps up
 * to 32 MiB for each of libuv's threads, and 30 headers of 8-megapixel images made the process 150
 * MiB larger.
 */
export async function readWebpHeader(
  window: FileWindow,
  sizeBytes: number,
): Promise<WebpHeader | null> {
  const end = 8 + (await window.at(0, 12)).readUInt32LE(4);
  const size = canvasSize(await window.at(12, 30 - 12));
  if (size === null || end > sizeBytes) return null;
  const header = { ...size, frames: 0, orientation: 1 };
  let hasPixels = false;
  for (let at = 12; at < end; ) {
    const chunk = await window.at(at, 8);
    if (chunk.length < 8) return null;
    const type = chunk.toString('latin1', 0, 4);
    const next = at + 8 + chunk.readUInt32LE(4);
    if (next > end) return null;
    if (type === 'ANMF') header.frames++;
    if (type === 'ANMF' || holdsImage(chunk, next - at - 8)) hasPixels = true;
    if (type === 'EXIF')
      header.orientation = exifOrientation(await window.at(at + 8, EXIF_BYTES_MAX));
    // Chunks are padded to even lengths.
    at = next + (next % 2);
  }
  return hasPixels ? { ...header, frames: Math.max(1, header.frames) } : null;
}

/**
 * Returns whether the image of a WebP that stands still has the size of the canvas, and enough bytes for it. A lossless
 * image of one color has no bits for its pixels, and the frames of an animation may be smaller than the canvas.
 */
export async function readWebpExtent(window: FileWindow, sizeBytes: number): Promise<Extent> {
  const canvas = canvasSize(await window.at(12, 18));
  for (let at = 12; canvas !== null && at + 8 <= sizeBytes; ) {
    const chunk = Buffer.from(await window.at(at, 18));
    const dataBytes = chunk.readUInt32LE(4);
    const frame = isBitstream(chunk) ? canvasSize(chunk) : null;
    if (frame !== null) {
      const isCanvas = frame.width === canvas.width && frame.height === canvas.height;
      const isLossless = chunk.toString('latin1', 0, 4) === 'VP8L';
      const pixels = frame.width * frame.height;
      const hasRoom = isCanvas && (isLossless || pixels <= dataBytes * VP8_PIXELS_PER_BYTE);
      return { isWhole: hasRoom, hasRoom };
    }
    at += 8 + dataBytes + (dataBytes % 2);
  }
  return { isWhole: true, hasRoom: true };
}

/**
 * The modes of a block of 16 × 16 pixels take at least 1.6 bits, because their probabilities are fixed: RFC 6386 §11.2
 * and §11.4.
 */
const VP8_PIXELS_PER_BYTE = 1280;

function isBitstream(chunk: Buffer): boolean {
  return Object.hasOwn(BITSTREAM_BYTES_MIN, chunk.toString('latin1', 0, 4));
}

/** Bytes before the pixels: the frame header of VP8 (RFC 6386 §9.1), the header of VP8L (RFC 9649 §3.4). */
const BITSTREAM_BYTES_MIN: Readonly<Record<string, number>> = { 'VP8 ': 10, VP8L: 5 };

/** Returns whether a chunk is an image, and more than its header. */
function holdsImage(chunk: Buffer, sizeBytes: number): boolean {
  const minBytes = BITSTREAM_BYTES_MIN[chunk.toString('latin1', 0, 4)];
  return minBytes !== undefined && sizeBytes > minBytes;
}

/** Bytes read of the EXIF chunk: the orientation is in its first directory, near the beginning. */
const EXIF_BYTES_MAX = 4096;

function canvasSize(chunk: Buffer): { width: number; height: number } | null {
  if (chunk.length < 18) return null;
  switch (chunk.toString('latin1', 0, 4)) {
    case 'VP8 ': {
      const [width, height] = [chunk.readUInt16LE(14) & 0x3fff, chunk.readUInt16LE(16) & 0x3fff];
      return width === 0 || height === 0 ? null : { width, height };
    }
    case 'VP8L': {
      const bits = chunk.readUInt32LE(9);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: chunk.readUIntLE(12, 3) + 1, height: chunk.readUIntLE(15, 3) + 1 };
    default:
      return null;
  }
}
