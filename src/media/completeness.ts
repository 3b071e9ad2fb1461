import { crc32 } from 'node:zlib';
import { createFileWindow, type FileWindow, WINDOW_BYTES } from './file-window.ts';
import { type Source, withSource } from './source.ts';
import { holdsTiffPixels } from './tiff.ts';

/**
 * Returns whether an image of MIME type `mimeType` is complete, without decoding it: checks that its
 * structure is complete, and that it has at least as many bytes as its pixels need at the best compression. Always true
 * for WebP, which is checked when its header is read; there, and in AVIF and HEIC, a few bytes can hold any number of
 * pixels.
 *
 * Reads the file at most once, 64 KiB at a time; a PNG of 33 MB takes 80 ms.
 */
export function isComplete(source: Source, mimeType: string): Promise<boolean> {
  return withSource(source, async (source) => {
    const check = CHECKS[mimeType];
    return check === undefined || check(createFileWindow(source), source.sizeBytes);
  });
}

type Check = (window: FileWindow, sizeBytes: number) => Promise<boolean>;

const CHECKS: Readonly<Record<string, Check>> = {
  'image/jpeg': hasEndOfJpeg,
  'image/png': hasWholeChunks,
  'image/gif': hasTrailerOfGif,
  'image/tiff': holdsTiffPixels,
  'image/avif': hasWholeBoxes,
  'image/heic': hasWholeBoxes,
  'image/heif': hasWholeBoxes,
};

/** A Huffman code has at least one bit, and a block of 8 × 8 pixels at least one code. */
const JPEG_PIXELS_PER_BYTE = 8 * 64;

/**
 * Searches for the EOI marker after the start of the first scan: earlier segments may hold a
 * thumbnail with its own EOI (ITU-T T.81 B.1.1).
 */
async function hasEndOfJpeg(window: FileWindow, sizeBytes: number): Promise<boolean> {
  const START_OF_SCAN = 0xda;
  let pixels = 0;
  for (let at = 2; ; ) {
    const segment = await window.at(at, 9);
    if (segment.length < 9) return false;
    // SOF0 to SOF2. Arithmetic coding, of the others, needs less than a bit.
    const isHuffmanFrame = segment[1] === 0xc0 || segment[1] === 0xc1 || segment[1] === 0xc2;
    if (isHuffmanFrame) pixels = segment.readUInt16BE(5) * segment.readUInt16BE(7);
    if (segment[1] === START_OF_SCAN) {
      if (pixels > (sizeBytes - at) * JPEG_PIXELS_PER_BYTE) return false;
      return hasBytes(window, at, '\xff\xd9');
    }
    // Any number of fill bytes may precede a marker.
    at += segment[1] === 0xff ? 1 : 2 + segment.readUInt16BE(2);
  }
}

/**
 * Checks that every chunk up to IEND is present and matches its stored checksum (PNG 3rd edition
 * §5.3), and that the pixels have enough bytes. Does not decode the pixels.
 */
async function hasWholeChunks(window: FileWindow, sizeBytes: number): Promise<boolean> {
  const rawBytes = pngRawBytes(await window.at(0, 26));
  let dataBytes = 0;
  for (let at = 8; ; ) {
    const header = await window.at(at, 8);
    if (header.length < 8) return false;
    const end = at + 8 + header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    const isLast = type === 'IEND';
    if (type === 'IDAT') dataBytes += end - at - 8;
    if (end + 4 > sizeBytes) return false;
    const actual = await checksum(window, at + 4, end);
    if (actual !== (await window.at(end, 4)).readUInt32BE(0)) return false;
    if (isLast) return rawBytes <= dataBytes * DEFLATE_RATIO_MAX;
    at = end + 4;
  }
}

/** Deflate names at most 258 bytes with 2 bits (RFC 1951 §3.2.5). */
const DEFLATE_RATIO_MAX = 1032;

/** Returns the least size of the pixels before compression, from the header of a PNG: §11.2.1. */
function pngRawBytes(head: Buffer): number {
  if (head.length < 26) return Number.POSITIVE_INFINITY;
  const [depth = 0, colorType = 0] = head.subarray(24);
  const bits = depth * ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType] ?? 1);
  return Math.floor((head.readUInt32BE(16) * head.readUInt32BE(20) * bits) / 8);
}

async function checksum(window: FileWindow, from: number, end: number): Promise<number> {
  let sum = 0;
  for (let at = from; at < end; at += WINDOW_BYTES) {
    const bytes = await window.at(at, Math.min(WINDOW_BYTES, end - at));
    sum = crc32(bytes.subarray(0, end - at), sum);
  }
  return sum;
}

async function hasBytes(window: FileWindow, from: number, wanted: string): Promise<boolean> {
  // The windows overlap by the length of the wanted bytes, which may cross a window's end.
  for (let at = from; ; at += WINDOW_BYTES - wanted.length) {
    const bytes = await window.at(at, WINDOW_BYTES);
    if (bytes.includes(wanted, 0, 'latin1')) return true;
    if (bytes.length < WINDOW_BYTES) return false;
  }
}

/**
 * Walks the blocks (GIF89a §15 to §27) up to the trailer. Any byte that starts no block also counts
 * as the end, since decoders stop there. Checks that each frame, which may be smaller than the image,
 * has enough bytes for its pixels.
 */
async function hasTrailerOfGif(window: FileWindow): Promise<boolean> {
  const [IMAGE, EXTENSION] = [0x2c, 0x21];
  const screen = await window.at(0, 13);
  for (let at = 13 + colorTableBytes(screen[10] ?? 0); at !== -1; ) {
    const head = await window.at(at, 10);
    const [block] = head;
    if (block === undefined) return false;
    if (block === EXTENSION) at = await pastSubBlocks(window, at + 2);
    else if (block === IMAGE) {
      if (head.length < 10) return false;
      const pixels = head.readUInt16LE(5) * head.readUInt16LE(7);
      const start = at + 11 + colorTableBytes(head[9] ?? 0);
      at = await pastSubBlocks(window, start);
      if (at !== -1 && pixels > (at - start) * GIF_PIXELS_PER_BYTE) return false;
    } else return true;
  }
  return false;
}

/** LZW names at most 3,837 pixels with a code of 12 bits (GIF89a appendix F): 2,558 a byte. */
const GIF_PIXELS_PER_BYTE = 2600;

function colorTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Returns the position after a sequence of sub-blocks; -1 when the file ends before it does. */
async function pastSubBlocks(window: FileWindow, from: number): Promise<number> {
  for (let at = from; ; ) {
    const bytes = await window.at(at, 1);
    if (bytes.length === 0) return -1;
    // Walks all sub-blocks within the window before the next read: one read per sub-block, of at
    // most 255 bytes, took ten times as long.
    let offset = 0;
    while (offset < bytes.length) {
      const sizeBytes = bytes[offset] ?? 0;
      offset += 1 + sizeBytes;
      if (sizeBytes === 0) return at + offset;
    }
    at += offset;
  }
}

/**
 * Checks that the top-level boxes fit in the file (ISO 14496-12 §4.2). A box of size 0 extends to
 * the end of the file; size 1 means that a 64-bit size follows.
 */
async function hasWholeBoxes(window: FileWindow, sizeBytes: number): Promise<boolean> {
  for (let at = 0; at < sizeBytes; ) {
    const header = await window.at(at, 16);
    if (header.length < 8) return false;
    const short = header.readUInt32BE(0);
    if (short === 0) return true;
    if (short === 1 && header.length < 16) return false;
    const boxBytes = short === 1 ? Number(header.readBigUInt64BE(8)) : short;
    if (boxBytes < 8 || at + boxBytes > sizeBytes) return false;
    at += boxBytes;
  }
  return true;
}
