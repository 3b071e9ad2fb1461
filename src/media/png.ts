import { setImmediate } from 'node:timers/promises';
import { crc32, createInflate } from 'node:zlib';
import type { Extent } from './extent.ts';
import { type FileWindow, WINDOW_BYTES } from './file-window.ts';

/** Deflate names at most 258 bytes with 2 bits (RFC 1951 §3.2.5). */
const DEFLATE_RATIO_MAX = 1032;

/**
 * Follows the chunks of a PNG (PNG 3rd edition §5.3) to the end of its pixels. Only chunks that are needed for them
 * must match their checksums; nothing after them matters, as in decoders. Decodes nothing, unless the file ends right
 * after a chunk of pixels: then it unpacks them, to know whether they are complete.
 */
export async function readPngExtent(window: FileWindow, sizeBytes: number): Promise<Extent> {
  const head = Buffer.from((await window.at(0, 29)).subarray(0, 29));
  const rawBytes = head.length < 29 ? Number.POSITIVE_INFINITY : rawPixelBytes(head);
  const { state, start, dataBytes } = await followChunks(window, sizeBytes);
  const hasRoom = rawBytes <= dataBytes * DEFLATE_RATIO_MAX;
  if (!hasRoom || state !== 'ended') return { isWhole: hasRoom && state === 'followed', hasRoom };
  return { isWhole: (await unpackedBytes(window, start, rawBytes)) >= rawBytes, hasRoom };
}

/** The chunks of pixels, which follow each other. */
interface PixelChunks {
  /**
   * `followed`: another chunk comes after them. `ended`: the file ends there. `damaged`: a chunk is cut off, or does
   * not match its checksum.
   */
  state: 'followed' | 'ended' | 'damaged';
  /** The place of the first one. */
  start: number;
  dataBytes: number;
}

async function followChunks(window: FileWindow, sizeBytes: number): Promise<PixelChunks> {
  let start = 0;
  let dataBytes = 0;
  for (let at = 8; ; ) {
    const header = await window.at(at, 8);
    const isEnd = header.length < 8;
    const type = header.toString('latin1', 4, 8);
    const isAfter = start !== 0 && (isEnd || type !== 'IDAT');
    if (isAfter) return { state: isEnd ? 'ended' : 'followed', start, dataBytes };
    const end = at + 8 + (isEnd ? 0 : header.readUInt32BE(0));
    if (type === 'IDAT') {
      start ||= at;
      dataBytes += Math.min(end, sizeBytes) - at - 8;
    }
    const isCut = isEnd || type === 'IEND' || end + 4 > sizeBytes;
    if (isCut || (isCritical(type) && !(await matchesChecksum(window, at + 8, end)))) {
      return { state: 'damaged', start, dataBytes };
    }
    at = end + 4;
  }
}

/** PNG 3rd edition §5.4: the first letter of a chunk that is needed for the pixels is a capital. */
function isCritical(type: string): boolean {
  return /^[A-Z]/.test(type);
}

async function matchesChecksum(window: FileWindow, from: number, end: number): Promise<boolean> {
  let sum = 0;
  // The checksum includes the type.
  for (let at = from - 4; at < end; at += WINDOW_BYTES) {
    const bytes = await window.at(at, Math.min(WINDOW_BYTES, end - at));
    sum = crc32(bytes.subarray(0, end - at), sum);
  }
  const stored = await window.at(end, 4);
  return stored.length >= 4 && sum === stored.readUInt32BE(0);
}

/** Returns the number of bytes that the chunks of pixels hold when they are unpacked, counted up to `max`. */
async function unpackedBytes(window: FileWindow, start: number, max: number): Promise<number> {
  const inflate = createInflate();
  let count = 0;
  let isOver = false;
  inflate.on('data', (bytes: Buffer) => {
    count += bytes.length;
  });
  // The bytes before the damage are those that a decoder has.
  inflate.on('error', () => {
    isOver = true;
  });
  for await (const bytes of packedBytes(window, start)) {
    await new Promise((resolve) => inflate.write(bytes, resolve));
    if (isOver || count >= max) break;
  }
  await setImmediate();
  inflate.destroy();
  return count;
}

async function* packedBytes(window: FileWindow, start: number): AsyncGenerator<Buffer> {
  for (let at = start; ; ) {
    const header = await window.at(at, 8);
    if (header.length < 8 || header.toString('latin1', 4, 8) !== 'IDAT') return;
    const end = at + 8 + header.readUInt32BE(0);
    for (let from = at + 8; from < end; from += WINDOW_BYTES) {
      const bytes = await window.at(from, Math.min(WINDOW_BYTES, end - from));
      // A copy: the window is reused.
      yield Buffer.from(bytes.subarray(0, Math.min(WINDOW_BYTES, end - from)));
    }
    at = end + 4;
  }
}

/** Returns the size of the pixels before compression, from the header of a PNG: §7.2, §8 and §11.2.1. */
function rawPixelBytes(head: Buffer): number {
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)];
  const [depth = 0, colorType = 0] = head.subarray(24);
  const bits = depth * ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType] ?? 1);
  const isInterlaced = head[28] === 1;
  const passes = isInterlaced ? ADAM7 : [[0, 0, 1, 1] as const];
  return passes.reduce((sum, [left, top, stepX, stepY]) => {
    const columns = Math.ceil((width - left) / stepX);
    const rows = Math.ceil((height - top) / stepY);
    // Each row begins with the type of its filter.
    return columns <= 0 || rows <= 0 ? sum : sum + rows * (1 + Math.ceil((columns * bits) / 8));
  }, 0);
}

/** The passes of an interlaced image: left, top, and the steps to the next column and row (§8.1). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
