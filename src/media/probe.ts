import sharp from 'sharp';
import { isComplete } from './completeness.ts';
import {
  DECODE_BYTES_MAX,
  HEADER_BYTES,
  limitLibvips,
  reserveDecodeMemory,
} from './decode-memory.ts';
import { isReadable, readHeader } from './image-header.ts';
import { sniffFile } from './sniff.ts';

/**
 * The picture is damaged, cut off, or of a format that is not read here. The message is for people.
 */
export class BrokenImageError extends Error {
  override readonly name = 'BrokenImageError';
}

/** The picture has more than `pixelsMax` pixels. */
export class ImageTooLargeError extends Error {
  override readonly name = 'ImageTooLargeError';
  readonly pixelsMax: number;

  constructor(pixelsMax: number) {
    super(`The picture has more than ${pixelsMax} pixels.`);
    this.pixelsMax = pixelsMax;
  }
}

/** What bounds a probe. */
export interface ProbeLimits {
  /** Width by height, of one frame. */
  pixelsMax: number;
  /** For the header, and for decoding once it has begun; waiting for memory does not count. */
  timeoutMs: number;
}

/** A picture that can be shown. */
export interface ProbedImage {
  /** As displayed, in pixels: EXIF orientation is applied. Of one frame. */
  width: number;
  height: number;
  /** MIME subtype: `jpeg`, `png`, `gif`, `webp`, `avif`, `heic`, `heif`, `tiff`. */
  format: string;
  /** Frames or pages; 1 for a still picture. */
  pages: number;
}

/**
 * Looks at the picture at `path` and makes sure that it is whole. Throws BrokenImageError and
 * ImageTooLargeError; and what opening the file throws.
 *
 * It is decoded, since a header says nothing of what follows it. For a 12-megapixel JPEG that takes
 * 70 times as long as the header alone (21 ms against 0.3), with libvips reading it at an eighth of
 * its size. A picture whose decoder would hold more than `DECODE_BYTES_MAX` is only followed to its
 * end, comparing the checksums of PNG: an AVIF above 0.2 megapixels, a GIF or WebP above 0.35, a
 * TIFF or interlaced PNG above 0.9, any PNG above 2,300 pixels wide, a progressive JPEG above 1.6.
 * So is HEIC, for which there is no decoder, and what comes after the first frame of an animation.
 *
 * Never hands an SVG, or anything else but the formats above, to libvips, whatever the file is
 * called.
 */
export async function probeImage(path: string, limits: ProbeLimits): Promise<ProbedImage> {
  limitLibvips();
  const { mimeType } = await sniffFile(path);
  if (!isReadable(mimeType)) {
    throw new BrokenImageError('Pictures of this format cannot be read here.');
  }
  const { timeoutMs, pixelsMax } = limits;
  const reserved = reserveDecodeMemory(HEADER_BYTES);
  const header = await attempt(reserved, timeoutMs, () => readHeader(path, mimeType));
  const { width, height, pages, decodedBytes } = header;
  if (width * height > pixelsMax) throw new ImageTooLargeError(pixelsMax);
  const isDecoded = decodedBytes <= DECODE_BYTES_MAX;
  if (isDecoded) {
    await attempt(reserveDecodeMemory(decodedBytes), timeoutMs, () => decode(path, timeoutMs));
  }
  const isFollowed = !isDecoded || pages > 1;
  if (isFollowed && !(await isComplete(path, mimeType))) throw broken();
  return { width, height, format: mimeType.slice('image/'.length), pages };
}

/**
 * What `work` answers, within the time, or BrokenImageError. sharp's own message names its library
 * and the path on the server: it stays in `cause`, for the log. Memory is given back when `work` is
 * done, not when the caller is told that it takes too long: most decoders of libvips cannot be
 * stopped.
 */
export async function attempt<T>(
  reserved: Promise<() => void>,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const release = await reserved;
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(new BrokenImageError('The picture takes too long to read.'));
  }, timeoutMs);
  try {
    return await Promise.race([work().finally(release), timeout.promise]);
  } catch (error) {
    throw error instanceof BrokenImageError ? error : broken(error);
  } finally {
    clearTimeout(timer);
  }
}

async function decode(path: string, timeoutMs: number): Promise<void> {
  await sharp(path, { failOn: 'error', ignoreIcc: true, limitInputPixels: false })
    .timeout({ seconds: Math.ceil(timeoutMs / 1000) })
    // Reads every row. With kernel "nearest", or failOn "truncated", damage in the last rows of a
    // PNG went unnoticed; failOn "warning" refuses pictures that every browser shows.
    .resize(8, 8, { fit: 'fill' })
    .raw()
    .toBuffer();
}

function broken(cause?: unknown): BrokenImageError {
  return new BrokenImageError('The picture is damaged or incomplete.', { cause });
}
