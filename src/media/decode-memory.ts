import sharp, { type Metadata } from 'sharp';

/** What a header says that the cost of decoding depends on. */
export type ImageTraits = Pick<
  Metadata,
  'format' | 'width' | 'height' | 'channels' | 'depth' | 'isProgressive' | 'chromaSubsampling'
>;

const MIB = 2 ** 20;

/**
 * What all running decoders may hold together. glibc gives each of libuv's threads a heap of its
 * own and returns little of it (unless the process is started with MALLOC_TRIM_THRESHOLD_=131072),
 * so up to four times as much is kept. Measured, 32 uploads at once, three times over: the process
 * grew by 18 MiB with JPEGs of 12 megapixels, 35 with a mix of pictures that are each just within
 * this limit, 10 without decoding anything. With 12 MiB the mix took 58, with 32 it took 116.
 */
export const DECODE_BYTES_MAX = 8 * MIB;

/** For reading a header. */
export const HEADER_BYTES = 2 * MIB;

/**
 * libvips works on libuv's threads, of which there are four: half of them stay free for file system
 * calls.
 */
const DECODERS_MAX = 2;

/**
 * What all running renderings may hold together. Apart from the decoders' memory, so that an upload
 * does not wait until a large rendition is done.
 */
export const RENDER_BYTES_MAX = 512 * MIB;

/** Renderings at once. */
const RENDERERS_MAX = 2;

/** Decoders and renderings at once: one thread is always left for file system calls. */
const THREADS_MAX = 3;

/**
 * The line caches of the pipeline hold about so many rows, whatever the format. Measured: 690 to
 * 870.
 */
const CACHED_ROWS = 900;

/**
 * An upload's picture is seen once, so a cache only holds memory and open files. Cheap (4 µs)
 * enough to repeat.
 */
export function limitLibvips(): void {
  sharp.cache(false);
  sharp.concurrency(1);
}

/**
 * What decoding a picture down to a few pixels holds in memory at its peak, in bytes, judged by its
 * header. Measured with libvips 8.18, bytes a pixel: progressive JPEG 3.4 (4:2:0), 6.5 (4:4:4), 9.5
 * (CMYK); interlaced PNG its raw size; WebP 0.3 (lossy) to 7; GIF 8; AVIF 20 to 27; TIFF of one
 * strip its raw size. Baseline JPEG (at an eighth of its size) and plain PNG go line by line.
 */
export function decodedBytes(image: ImageTraits): number {
  return pipelineBytes(image, image.format === 'jpeg' ? 8 : 1);
}

/**
 * The same for a picture that is needed in its full size. `isTurned`: by its EXIF orientation, for
 * which libvips takes all of it into memory.
 */
export function fullSizeBytes(image: ImageTraits, isTurned: boolean): number {
  const turned = isTurned ? image.width * image.height * rawPixelBytes(image) : 0;
  return pipelineBytes(image, 1) + turned;
}

function pipelineBytes(image: ImageTraits, scale: number): number {
  const { width, height } = image;
  const rows = Math.min(CACHED_ROWS, (2 * height) / scale);
  const cached = (rows * width * rawPixelBytes(image)) / scale;
  return 2 * MIB + cached + width * height * wholeImagePixelBytes(image);
}

function rawPixelBytes({ channels, depth }: ImageTraits): number {
  const sampleBytes = { uchar: 1, char: 1, ushort: 2, short: 2, uint: 4, int: 4, float: 4 };
  return channels * (depth in sampleBytes ? sampleBytes[depth as keyof typeof sampleBytes] : 16);
}

/** Bytes a pixel of what the format's decoder can hand out only when it has the whole picture. */
function wholeImagePixelBytes(image: ImageTraits): number {
  switch (image.format) {
    case 'jpeg':
      if (!image.isProgressive) return 0;
      return image.chromaSubsampling === '4:2:0' ? 3.5 : 2.5 * image.channels;
    case 'png':
      return image.isProgressive ? 1.2 * rawPixelBytes(image) : 0;
    case 'tiff':
      return 1.2 * rawPixelBytes(image);
    case 'heif':
      return 27;
    default:
      return 9;
  }
}

/**
 * Waits until `bytes` may be taken (at most `DECODE_BYTES_MAX`, or for ever) and a decoder is free;
 * answers what gives them back. First come, first served, so that a large picture is not passed
 * over for ever by small ones.
 */
export function reserveDecodeMemory(bytes: number): Promise<() => void> {
  return reserve(decoding, bytes);
}

/** It was not the turn of a rendering in time. */
export class RenderBusyError extends Error {
  override readonly name = 'RenderBusyError';
}

/** The same for a rendering, of at most `RENDER_BYTES_MAX`. Throws RenderBusyError after `patienceMs`. */
export function reserveRenderMemory(bytes: number, patienceMs: number): Promise<() => void> {
  return reserve(rendering, bytes, patienceMs);
}

/** A kind of work, what it may have at once, and who waits for it. */
interface Budget {
  readonly bytesMax: number;
  readonly runningMax: number;
  heldBytes: number;
  running: number;
  readonly waiting: { bytes: number; admit: () => void }[];
}

// Of the module, because what they count is the process's.
const decoding = createBudget(DECODE_BYTES_MAX, DECODERS_MAX);
const rendering = createBudget(RENDER_BYTES_MAX, RENDERERS_MAX);

function createBudget(bytesMax: number, runningMax: number): Budget {
  return { bytesMax, runningMax, heldBytes: 0, running: 0, waiting: [] };
}

async function reserve(
  budget: Budget,
  bytes: number,
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<() => void> {
  const { promise: admitted, resolve: admit, reject } = Promise.withResolvers<void>();
  const place = { bytes, admit };
  const timer = Number.isFinite(patienceMs)
    ? setTimeout(() => {
        budget.waiting.splice(budget.waiting.indexOf(place), 1);
        reject(new RenderBusyError('Too many pictures are being rendered.'));
        // Who was behind it may need less.
        admitWaiting();
      }, patienceMs)
    : undefined;
  budget.waiting.push(place);
  admitWaiting();
  await admitted.finally(() => clearTimeout(timer));
  return () => {
    budget.heldBytes -= bytes;
    budget.running--;
    admitWaiting();
  };
}

// Decoders first: they take little, and an upload waits for one.
function admitWaiting(): void {
  for (const budget of [decoding, rendering]) {
    for (let next = budget.waiting[0]; next !== undefined; next = budget.waiting[0]) {
      if (decoding.running + rendering.running === THREADS_MAX) return;
      if (budget.running === budget.runningMax) break;
      if (budget.heldBytes + next.bytes > budget.bytesMax) break;
      budget.waiting.shift();
      budget.heldBytes += next.bytes;
      budget.running++;
      next.admit();
    }
  }
}
