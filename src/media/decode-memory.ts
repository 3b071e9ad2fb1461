import type { Metadata } from 'sharp';
import { createTurnGroup } from '../lib/turns.ts';

/** The parts of an image's header that decide the cost of decoding. */
export type ImageTraits = Pick<
  Metadata,
  'format' | 'width' | 'height' | 'channels' | 'depth' | 'isProgressive' | 'chromaSubsampling'
>;

const MIB = 2 ** 20;

/**
 * The memory of all running decoders together. glibc gives each of libuv's threads a heap of its
 * own and returns little of it (unless the process is started with MALLOC_TRIM_THRESHOLD_=131072),
 * so up to four times as much is kept. Measured, 32 uploads at once, three times over: the process
 * grew by 18 MiB with JPEGs of 12 megapixels, 35 with a mix of images that are each just within
 * this limit, 10 without decoding anything. With 12 MiB the mix took 58, with 32 it took 116.
 */
export const DECODE_BYTES_MAX = 8 * MIB;

/** The memory that reading a header takes. */
export const HEADER_BYTES = 2 * MIB;

/**
 * libvips works on libuv's threads, of which there are four: half of them stay free for file system
 * calls.
 */
const DECODERS_MAX = 2;

/**
 * The memory of all running renderings together. Separate from the decoders' memory, so that an upload
 * does not wait for a large rendition.
 */
export const RENDER_BYTES_MAX = 512 * MIB;

/** Renderings at once. */
const RENDERERS_MAX = 2;

/** Decoders and renderings at once: one thread always stays free for file system calls. */
const THREADS_MAX = 3;

/**
 * The number of rows in the pipeline's line caches, whatever the format. Measured: 690 to
 * 870.
 */
const CACHED_ROWS = 900;

type SharpConstructor = typeof import('sharp')['default'];

let loading: Promise<SharpConstructor> | undefined;

/**
 * Loads sharp for the first image: many processes never see one. Sets libvips to no cache and one thread. An uploaded
 * image is read once, so a cache would only hold memory and open files.
 */
export function loadSharp(): Promise<SharpConstructor> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loading;
}

/**
 * Returns the peak memory of decoding an image down to a few pixels, in bytes, estimated from its
 * header. Measured with libvips 8.18, bytes a pixel: progressive JPEG 3.4 (4:2:0), 6.5 (4:4:4), 9.5
 * (CMYK); interlaced PNG its raw size; WebP 0.3 (lossy) to 7; GIF 8; AVIF 20 to 27; TIFF of one
 * strip its raw size. Baseline JPEG (at an eighth of its size) and plain PNG go line by line.
 */
export function decodedBytes(image: ImageTraits): number {
  return pipelineBytes(image, image.format === 'jpeg' ? 8 : 1);
}

/**
 * Returns the peak memory of decoding an image in its full size, in bytes. `isTurned`: its EXIF orientation turns
 * it, for which libvips loads all of it into memory.
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

/** Bytes per pixel that the decoder holds because it returns nothing before it has the whole image. */
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

/** A rendering got no turn in time. */
export class RenderBusyError extends Error {
  override readonly name = 'RenderBusyError';
}

// Module-level, because the limits are the process's.
const threads = createTurnGroup(THREADS_MAX);
const tooBusy = () => new RenderBusyError('Too many images are being rendered.');

// Decoders are served first: they take little, and an upload waits for each of them.
const decoding = threads.addQueue({
  runningMax: DECODERS_MAX,
  weightMax: DECODE_BYTES_MAX,
  tooBusy,
});
const rendering = threads.addQueue({
  runningMax: RENDERERS_MAX,
  weightMax: RENDER_BYTES_MAX,
  tooBusy,
});

/**
 * Waits until a decoder and `bytes` of memory are free, and returns the function that releases them. Waits for ever for
 * more than `DECODE_BYTES_MAX`.
 */
export function reserveDecodeMemory(bytes: number): Promise<() => void> {
  return decoding.take({ weight: bytes });
}

/**
 * Waits until a renderer and `bytes` of memory are free, and returns the function that releases them. Throws
 * RenderBusyError after `patienceMs`; waits that long for more than `RENDER_BYTES_MAX`.
 */
export function reserveRenderMemory(bytes: number, patienceMs: number): Promise<() => void> {
  return rendering.take({ weight: bytes, patienceMs });
}
