import { isComplete } from './completeness.ts';
import { DECODE_BYTES_MAX, HEADER_BYTES, loadSharp, reserveDecodeMemory } from './decode-memory.ts';
import { isReadable, readHeader } from './image-header.ts';
import { sizeOfWholeJpeg } from './jpeg.ts';
import { sniffFile } from './sniff.ts';
import type { Source } from './source.ts';

/**
 * The image is damaged, cut off, or of an unsupported format. The message may be shown to users.
 */
export class BrokenImageError extends Error {
  override readonly name = 'BrokenImageError';
}

/** The image has more than `pixelsMax` pixels. */
export class ImageTooLargeError extends Error {
  override readonly name = 'ImageTooLargeError';
  readonly pixelsMax: number;

  constructor(pixelsMax: number) {
    super(`The image has more than ${pixelsMax} pixels.`);
    this.pixelsMax = pixelsMax;
  }
}

/** The limits of a probe. */
export interface ProbeLimits {
  /** Maximum of width times height of one frame. */
  pixelsMax: number;
  /**
   * Time limit for reading the header, and again for decoding. Waiting for memory does not count.
   */
  timeoutMs: number;
}

/** The properties of an intact image. */
export interface ProbedImage {
  /** Size of one frame as displayed, in pixels: with EXIF orientation applied. */
  width: number;
  height: number;
  /** MIME subtype: `jpeg`, `png`, `gif`, `webp`, `avif`, `heic`, `heif`, `tiff`. */
  format: string;
  /** Number of frames or pages; 1 for a still image. */
  pages: number;
}

/**
 * Returns the size and format of an image, and checks that the image is intact. `mimeType` is that of `sniffFile`, if
 * the caller knows it. Throws BrokenImageError, ImageTooLargeError, and the file system's error when the file cannot be
 * opened.
 *
 * Follows the structure of a JPEG in memory, and decodes nothing if that is complete: the job that creates its
 * thumbnail decodes it. Decodes any other image, since an intact header does not prove that the pixels are intact. For a
 * 12-megapixel JPEG, which libvips reads at an eighth of its size, decoding takes 70 times as long
 * as reading the header (21 ms against 0.3 ms).
 *
 * Does not decode an image whose decoder would hold more than `DECODE_BYTES_MAX`: an AVIF above 0.2
 * megapixels, a GIF or WebP above 0.35, a TIFF or interlaced PNG above 0.9, any PNG wider than
 * 2,300 pixels, a progressive JPEG above 1.6. Nor does it decode HEIC, for which there is no
 * decoder, or the frames after the first of an animation. In these cases it follows the structure
 * of the file to its end, and compares the checksums of a PNG.
 *
 * Passes only files of the formats listed at `ProbedImage.format` to libvips, whatever their
 * filename; never an SVG.
 */
export async function probeImage(
  source: Source,
  limits: ProbeLimits,
  knownType?: string,
): Promise<ProbedImage> {
  const mimeType = knownType ?? (await sniffFile(source)).mimeType;
  if (!isReadable(mimeType)) {
    throw new BrokenImageError('Images of this format are not supported.');
  }
  const { timeoutMs, pixelsMax } = limits;
  const whole = mimeType === 'image/jpeg' && typeof source !== 'string' && sizeOfWholeJpeg(source);
  if (whole) {
    checkPixels(whole, pixelsMax);
    return { ...whole, format: 'jpeg', pages: 1 };
  }
  const reserved = reserveDecodeMemory(HEADER_BYTES);
  const header = await attempt(reserved, timeoutMs, () => readHeader(source, mimeType));
  const { width, height, pages, decodedBytes } = header;
  checkPixels(header, pixelsMax);
  const isDecoded = decodedBytes <= DECODE_BYTES_MAX;
  if (isDecoded) {
    await attempt(reserveDecodeMemory(decodedBytes), timeoutMs, () => decode(source, timeoutMs));
  }
  const isFollowed = !isDecoded || pages > 1;
  if (isFollowed && !(await isComplete(source, mimeType))) throw broken();
  return { width, height, format: mimeType.slice('image/'.length), pages };
}

/**
 * Waits for the reserved memory, runs `work` and returns its result. Throws BrokenImageError if
 * `work` fails or takes longer than `timeoutMs`. sharp's own message names its library and the path
 * on the server; it stays in `cause`, for the log. Releases the memory when `work` ends, not when
 * the time is over: most decoders of libvips cannot be stopped.
 */
export async function attempt<T>(
  reserved: Promise<() => void>,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const release = await reserved;
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(new BrokenImageError('The image takes too long to read.'));
  }, timeoutMs);
  try {
    return await Promise.race([work().finally(release), timeout.promise]);
  } catch (error) {
    throw error instanceof BrokenImageError ? error : broken(error);
  } finally {
    clearTimeout(timer);
  }
}

async function decode(source: Source, timeoutMs: number): Promise<void> {
  const sharp = await loadSharp();
  await sharp(source, { failOn: 'error', ignoreIcc: true, limitInputPixels: false })
    .timeout({ seconds: Math.ceil(timeoutMs / 1000) })
    // Reads every row. Kernel "nearest" and failOn "truncated" missed damage in the last rows of a
    // PNG; failOn "warning" rejects images that every browser shows.
    .resize(8, 8, { fit: 'fill' })
    .raw()
    .toBuffer();
}

function checkPixels(
  { width, height }: { width: number; height: number },
  pixelsMax: number,
): void {
  if (width * height > pixelsMax) throw new ImageTooLargeError(pixelsMax);
}

function broken(cause?: unknown): BrokenImageError {
  return new BrokenImageError('The image is damaged or incomplete.', { cause });
}
