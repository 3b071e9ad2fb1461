import { readExtent } from './completeness.ts';
import {
  DECODE_BYTES_MAX,
  HEADER_BYTES,
  loadSharp,
  RENDER_BYTES_MAX,
  reserveDecodeMemory,
  reserveRenderMemory,
} from './decode-memory.ts';
import { type ImageHeader, isReadable, readHeader } from './image-header.ts';
import { sizeOfWholeJpeg } from './jpeg.ts';
import { isWholeWithoutEnd } from './jpeg-end.ts';
import { sniffFile } from './sniff.ts';
import { inMemoryIfSmall, type Source } from './source.ts';

/**
 * The image cannot be read. The message may be shown to users.
 */
export class BrokenImageError extends Error {
  override readonly name: string = 'BrokenImageError';
}

/** The image is damaged, cut off, or uses a variant of its format that cannot be decoded here. */
export class DamagedImageError extends BrokenImageError {
  override readonly name = 'DamagedImageError';
}

/**
 * The header of a damaged image promises many more pixels than its bytes can hold: a bomb for every program that
 * trusts the header.
 */
export class PixelPromiseError extends BrokenImageError {
  override readonly name = 'PixelPromiseError';

  constructor(options?: ErrorOptions) {
    super('The image promises more pixels than its bytes can hold.', options);
  }
}

/** The image takes longer than allowed: it is large, or the machine is busy. */
export class SlowImageError extends BrokenImageError {
  override readonly name = 'SlowImageError';

  constructor() {
    super('The image takes too long to read.');
  }
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

/** Below this many pixels, a header that promises too many of them harms no program. */
const HARMLESS_PIXELS_MAX = 16_000_000;

/** An image of at most this size is examined in memory, so that its verdict does not depend on where its bytes are. */
const MEMORY_BYTES_MAX = 128 * 1024;

/**
 * Returns the size and format of an image, and checks that the image is intact. `mimeType` is that of `sniffFile`, if
 * the caller knows it. Throws DamagedImageError, PixelPromiseError, BrokenImageError for another format and when it
 * takes too long, ImageTooLargeError, and the file system's error when the file cannot be opened.
 *
 * An image is damaged if decoders say so. One without its end marker is not: all of its pixels are there.
 *
 * Follows the structure of a small JPEG in memory, and decodes nothing if that is complete: the job that creates its
 * thumbnail decodes it. Decodes any other image, since an intact header does not prove that the pixels are intact. For a
 * 12-megapixel JPEG, which libvips reads at an eighth of its size, decoding takes 70 times as long
 * as reading the header (21 ms against 0.3 ms).
 *
 * Does not decode an image whose decoder would hold more than `DECODE_BYTES_MAX`: an AVIF above 0.2
 * megapixels, a GIF or WebP above 0.35, a TIFF or interlaced PNG above 0.9, any PNG wider than
 * 2,300 pixels, a progressive JPEG above 1.6. Nor does it decode HEIC, for which there is no
 * decoder, or the frames after the first of an animation. In these cases it follows the structure
 * of the file to the end of its pixels, and compares the checksums of a PNG.
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
  return probe(await inMemoryIfSmall(source, MEMORY_BYTES_MAX), limits, mimeType);
}

async function probe(
  source: Source,
  { timeoutMs, pixelsMax }: ProbeLimits,
  mimeType: string,
): Promise<ProbedImage> {
  const whole = mimeType === 'image/jpeg' && typeof source !== 'string' && sizeOfWholeJpeg(source);
  if (whole) {
    checkPixels(whole, pixelsMax);
    return { ...whole, format: 'jpeg', pages: 1 };
  }
  const reserved = reserveDecodeMemory(HEADER_BYTES);
  const header = await attempt(reserved, timeoutMs, () => readHeader(source, mimeType));
  checkPixels(header, pixelsMax);
  await checkIntact(source, header, { mimeType, timeoutMs });
  const { width, height, pages } = header;
  return { width, height, format: mimeType.slice('image/'.length), pages };
}

interface Check {
  mimeType: string;
  timeoutMs: number;
}

async function checkIntact(source: Source, header: ImageHeader, check: Check): Promise<void> {
  const { mimeType } = check;
  const { width, height, pages, decodedBytes } = header;
  const isDecoded = decodedBytes <= DECODE_BYTES_MAX;
  try {
    if (isDecoded) await checkDecoded(source, decodedBytes, check);
    if (!isDecoded || pages > 1) {
      if (!(await readExtent(source, mimeType)).isWhole) throw damaged();
    } else if (mimeType === 'image/jpeg' && !(await readExtent(source, mimeType)).hasRoom) {
      // Its decoder fills in the pixels that are missing.
      throw damaged();
    }
  } catch (error) {
    if (!(error instanceof DamagedImageError)) throw error;
    const { hasRoom } = await readExtent(source, mimeType);
    if (!hasRoom && width * height > HARMLESS_PIXELS_MAX) {
      throw new PixelPromiseError({ cause: error });
    }
    const mayLackEnd = hasRoom && mimeType === 'image/jpeg';
    if (!mayLackEnd || !(await lacksOnlyEnd(source, header, check))) throw error;
  }
}

function checkDecoded(source: Source, bytes: number, { timeoutMs }: Check): Promise<void> {
  return attempt(reserveDecodeMemory(bytes), timeoutMs, () => decode(source, timeoutMs));
}

/** Decodes in the memory of renderings: these images are rare, and may be of any size. */
async function lacksOnlyEnd(
  source: Source,
  { fullSizeBytes }: ImageHeader,
  { timeoutMs }: Check,
): Promise<boolean> {
  const bytes = await inMemoryIfSmall(source, JPEG_END_BYTES_MAX);
  if (typeof bytes === 'string') return false;
  const neededBytes = 2 * bytes.length + fullSizeBytes;
  if (!(neededBytes <= RENDER_BYTES_MAX)) return false;
  const reserved = reserveRenderMemory(neededBytes, Number.POSITIVE_INFINITY);
  return attempt(reserved, timeoutMs, () => isWholeWithoutEnd(bytes, timeoutMs));
}

/** A JPEG without its end marker is examined up to this size. */
const JPEG_END_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Waits for the reserved memory, runs `work` and returns its result. Throws DamagedImageError if
 * `work` fails, BrokenImageError if it takes longer than `timeoutMs`. sharp's own message names its library and the path
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
    timeout.reject(new SlowImageError());
  }, timeoutMs);
  try {
    return await Promise.race([work().finally(release), timeout.promise]);
  } catch (error) {
    if (error instanceof BrokenImageError) throw error;
    // The message of libvips when sharp's own time limit stops it.
    throw error instanceof Error && /^timeout/.test(error.message)
      ? new SlowImageError()
      : damaged(error);
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

function damaged(cause?: unknown): DamagedImageError {
  return new DamagedImageError('The image is damaged or incomplete.', { cause });
}
