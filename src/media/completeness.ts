import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { createFileWindow, type FileWindow, WINDOW_BYTES } from './file-window.ts';

/**
 * Whether the picture at `path`, of MIME type `mimeType`, goes on to its end: what can be said of
 * one without decoding it. True also for types that libvips checks when it reads their header
 * (WebP, TIFF).
 *
 * Reads the file once at most, 64 KiB at a time; 33 MB of PNG take 80 ms.
 */
export async function isComplete(path: string, mimeType: string): Promise<boolean> {
  const file = await open(path);
  try {
    const window = createFileWindow(file);
    const { size } = await file.stat();
    return (await CHECKS[mimeType]?.(window, size)) ?? true;
  } finally {
    await file.close();
  }
}

type Check = (window: FileWindow, sizeBytes: number) => Promise<boolean>;

const CHECKS: Readonly<Record<string, Check>> = {
  'image/jpeg': hasEndOfJpeg,
  'image/png': hasWholeChunks,
  'image/gif': hasTrailerOfGif,
  'image/avif': hasWholeBoxes,
  'image/heic': hasWholeBoxes,
  'image/heif': hasWholeBoxes,
};

/**
 * EOI after the first scan: segments before it may hold a thumbnail with an end of its own (ITU-T
 * T.81 B.1.1).
 */
async function hasEndOfJpeg(window: FileWindow): Promise<boolean> {
  const START_OF_SCAN = 0xda;
  for (let at = 2; ; ) {
    const segment = await window.at(at, 4);
    if (segment.length < 4) return false;
    if (segment[1] === START_OF_SCAN) return hasBytes(window, at, '\xff\xd9');
    // Any number of fill bytes may stand before a marker.
    at += segment[1] === 0xff ? 1 : 2 + segment.readUInt16BE(2);
  }
}

/**
 * Every chunk up to IEND is there and has the checksum it states (PNG 3rd edition §5.3). Compares
 * what it decodes to none.
 */
async function hasWholeChunks(window: FileWindow, sizeBytes: number): Promise<boolean> {
  for (let at = 8; ; ) {
    const header = await window.at(at, 8);
    if (header.length < 8) return false;
    const end = at + 8 + header.readUInt32BE(0);
    const isLast = header.toString('latin1', 4, 8) === 'IEND';
    if (end + 4 > sizeBytes) return false;
    const actual = await checksum(window, at + 4, end);
    if (actual !== (await window.at(end, 4)).readUInt32BE(0)) return false;
    if (isLast) return true;
    at = end + 4;
  }
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
  // The windows overlap by what is wanted, which may lie across their border.
  for (let at = from; ; at += WINDOW_BYTES - wanted.length) {
    const bytes = await window.at(at, WINDOW_BYTES);
    if (bytes.includes(wanted, 0, 'latin1')) return true;
    if (bytes.length < WINDOW_BYTES) return false;
  }
}

/**
 * Walks over the blocks (GIF89a §15 to §27) to the trailer. Bytes that are no block end the walk: a
 * decoder stops there.
 */
async function hasTrailerOfGif(window: FileWindow): Promise<boolean> {
  const [IMAGE, EXTENSION] = [0x2c, 0x21];
  const screen = await window.at(0, 13);
  for (let at = 13 + colorTableBytes(screen[10] ?? 0); at !== -1; ) {
    const [block, , , , , , , , , flags] = await window.at(at, 10);
    if (block === undefined) return false;
    if (block === EXTENSION) at = await pastSubBlocks(window, at + 2);
    else if (block === IMAGE)
      at = await pastSubBlocks(window, at + 11 + colorTableBytes(flags ?? 0));
    else return true;
  }
  return false;
}

function colorTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** -1: the file ends before them. */
async function pastSubBlocks(window: FileWindow, from: number): Promise<number> {
  for (let at = from; ; ) {
    const bytes = await window.at(at, 1);
    if (bytes.length === 0) return -1;
    // All that the window shows at once: one look for each of the blocks, of 255 bytes at most,
    // took ten times as long.
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
 * Top-level boxes up to the end of the file (ISO 14496-12 §4.2): size 0 means all the rest, 1 that
 * 64 bits follow.
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
