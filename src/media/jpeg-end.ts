import { readExtent } from './completeness.ts';
import { loadSharp } from './decode-memory.ts';
import { type Source, withSource } from './source.ts';

const END_OF_IMAGE = Buffer.from('ffd9', 'hex');

/** Returns whether a JPEG has an end marker. Almost all have it in their last two bytes. */
export async function hasEnd(source: Source): Promise<boolean> {
  const tail = await withSource(source, async ({ sizeBytes, read }) => {
    const memory = Buffer.alloc(2);
    await read(memory, 2, Math.max(0, sizeBytes - 2));
    return memory;
  });
  return tail.equals(END_OF_IMAGE) || (await readExtent(source, 'image/jpeg')).isWhole;
}

/** The rows at the bottom that are compared: at least one row of the largest blocks, 4 × 8 pixels. */
const BOTTOM_ROWS = 32;

/** More bytes than a row of blocks needs. */
const FILLER_BYTES = 64 * 1024;

/**
 * Returns whether a JPEG that has no end marker still has all of its pixels. Browsers show such an image without a
 * fault, but libvips reports it as cut off.
 *
 * Decodes the image twice, with an end marker in the place of the missing one. A decoder warns if pixels are missing
 * above the last rows. In the last rows it does not: there, the pixels are missing if they depend on what precedes the
 * end marker.
 */
export async function isWholeWithoutEnd(bytes: Buffer, timeoutMs: number): Promise<boolean> {
  const pixels = withoutFill(bytes);
  try {
    const ended = Buffer.concat([pixels, END_OF_IMAGE]);
    const bottom = await decodeBottom(ended, 'warning', timeoutMs);
    const filled = Buffer.concat([pixels, filler(), END_OF_IMAGE]);
    return bottom.equals(await decodeBottom(filled, 'none', timeoutMs));
  } catch {
    return false;
  }
}

/** Removes fill bytes from the end, or the first half of a marker. */
function withoutFill(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (bytes[end - 1] === 0xff) end--;
  return bytes.subarray(0, end);
}

/** Returns bytes that look like pixels: always the same noise, without markers. */
function filler(): Buffer {
  const bytes = Buffer.alloc(FILLER_BYTES);
  let state = 1;
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = Math.min(0xfe, state >>> 24);
  }
  return bytes;
}

async function decodeBottom(
  bytes: Buffer,
  failOn: 'none' | 'warning',
  timeoutMs: number,
): Promise<Buffer> {
  const sharp = await loadSharp();
  const input = { failOn, ignoreIcc: true, limitInputPixels: false, sequentialRead: true } as const;
  const { width, height } = await sharp(bytes, input).metadata();
  const rows = Math.min(BOTTOM_ROWS, height);
  return sharp(bytes, input)
    .timeout({ seconds: Math.ceil(timeoutMs / 1000) })
    .extract({ left: 0, top: height - rows, width, height: rows })
    .raw()
    .toBuffer();
}
