import type { Sharp } from 'sharp';
import {
  HEADER_BYTES,
  loadSharp,
  RENDER_BYTES_MAX,
  reserveDecodeMemory,
  reserveRenderMemory,
} from './decode-memory.ts';
import { type ImageHeader, isReadable, readHeader } from './image-header.ts';
import { hasEnd } from './jpeg-end.ts';
import { attempt, BrokenImageError, ImageTooLargeError, type ProbeLimits } from './probe.ts';
import { sniffFile } from './sniff.ts';

/** A size in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** A part of an image, in pixels from the image's top left corner. */
export interface Rect extends Size {
  left: number;
  top: number;
}

/** An RGB color; each channel is 0 to 255. */
export interface Color {
  r: number;
  g: number;
  b: number;
}

/**
 * The formats that a rendition can have. AVIF is left out: encoding it takes a hundred times as
 * long as the others.
 */
export type RenderFormat = 'jpeg' | 'png' | 'gif' | 'webp';

/** The steps from an image to its rendition, in this order and with all sizes in pixels. */
export interface RenderPlan {
  /** Part of the displayed image to use; null: all of it. */
  crop: Rect | null;
  /** Size to scale the cropped image to. */
  scaled: Size;
  /** Part of the scaled image to keep; null: all of it. */
  window: Rect | null;
  /** Size of a larger canvas, and the image's position on it; null: no canvas. */
  canvas: Rect | null;
  /** Color behind transparent pixels and around the image on a canvas; null: transparent. */
  background: Color | null;
  format: RenderFormat;
  /** 1 to 100; null when the format has no quality setting. */
  quality: number | null;
  /** Whether an animation may stay animated. */
  mayMove: boolean;
}

/** The limits of a rendering. */
export interface RenderLimits extends ProbeLimits {
  /** Maximum wait for memory and a free thread. (Default: for ever) */
  patienceMs?: number;
}

/** A rendered image. */
export interface RenderedImage extends Size {
  bytes: Buffer;
}

/**
 * Renders the image at `path` in sRGB, with its EXIF orientation applied and without metadata. An
 * animation stays animated if the plan allows it, the output format supports it and all of its
 * frames together have at most `ANIMATION_PIXELS_MAX` pixels; otherwise only its first frame is
 * rendered.
 *
 * Throws BrokenImageError when the file is not an intact image of a supported format, when
 * rendering needs more than `RENDER_BYTES_MAX` of memory, or when it takes longer than `timeoutMs`.
 * Throws ImageTooLargeError, RenderBusyError after waiting for `patienceMs`, and the file system's
 * error when the file cannot be opened.
 *
 * Runs off the main thread, at most two renderings at once. Others wait; waiting does not count
 * towards `timeoutMs`.
 */
export async function renderImage(
  path: string,
  plan: RenderPlan,
  { pixelsMax, timeoutMs, patienceMs = Number.POSITIVE_INFINITY }: RenderLimits,
): Promise<RenderedImage> {
  // The row of the file has a type too. It is not trusted: libvips must get only what these bytes really are.
  const { mimeType } = await sniffFile(path);
  if (!isReadable(mimeType)) {
    throw new BrokenImageError('Images of this format are not supported.');
  }
  const reserved = reserveDecodeMemory(HEADER_BYTES);
  const header = await attempt(reserved, timeoutMs, () => readHeader(path, mimeType));
  if (header.width * header.height > pixelsMax) throw new ImageTooLargeError(pixelsMax);
  const isAnimated = isAnimationKept(mimeType, header, plan);
  const bytes = neededBytes(header, plan, isAnimated);
  if (!(bytes <= RENDER_BYTES_MAX)) {
    throw new BrokenImageError('Rendering the image needs more memory than the server allows.');
  }
  // Without its end marker an image still has all pixels; only those that have them were accepted as images.
  const failOn = mimeType !== 'image/jpeg' || (await hasEnd(path)) ? 'error' : 'none';
  const work = () => run(path, plan, { isAnimated, failOn, timeoutMs });
  return attempt(reserveRenderMemory(bytes, patienceMs), timeoutMs, work);
}

/** Returns the most frequent color of an image, scaled down to at most 64 by 64 pixels. */
export async function dominantColor(bytes: Buffer): Promise<Color> {
  const sharp = await loadSharp();
  const small = await sharp(bytes).resize(64, 64, { fit: 'inside' }).png().toBuffer();
  return (await sharp(small).stats()).dominant;
}

/** Maximum pixels of all frames of an animation together: all of them are in memory at once. */
const ANIMATION_PIXELS_MAX = 20_000_000;

const ANIMATED: readonly string[] = ['image/gif', 'image/webp'];

function isAnimationKept(mimeType: string, header: ImageHeader, plan: RenderPlan): boolean {
  const { pages, width, height } = header;
  if (pages === 1 || !plan.mayMove) return false;
  if (!ANIMATED.includes(mimeType) || !ANIMATED.includes(`image/${plan.format}`)) return false;
  const output = outputSize(plan);
  const framePixels = Math.max(width * height, output.width * output.height);
  return framePixels * pages <= ANIMATION_PIXELS_MAX;
}

/** Memory per pixel of the encoders that need the whole image (GIF and WebP), in bytes. */
const ENCODER_PIXEL_BYTES = 12;

function neededBytes(header: ImageHeader, plan: RenderPlan, isAnimated: boolean): number {
  const frames = isAnimated ? header.pages : 1;
  const output = outputSize(plan);
  const encoded = output.width * output.height * ENCODER_PIXEL_BYTES;
  const isWhole = plan.format === 'gif' || plan.format === 'webp';
  const animation = isAnimated ? header.width * header.height * 4 * (frames - 1) : 0;
  return header.fullSizeBytes + animation + (isWhole ? encoded * frames : 0);
}

/** Returns the size of the rendered image. */
export function outputSize({
  scaled,
  window,
  canvas,
}: Pick<RenderPlan, 'scaled' | 'window' | 'canvas'>): Size {
  const { width, height } = canvas ?? window ?? scaled;
  return { width, height };
}

interface RunOptions {
  isAnimated: boolean;
  failOn: 'error' | 'none';
  timeoutMs: number;
}

async function run(
  path: string,
  plan: RenderPlan,
  { isAnimated, failOn, timeoutMs }: RunOptions,
): Promise<RenderedImage> {
  // `renderImage` has checked the number of pixels already, from the same header.
  const input = { failOn, animated: isAnimated, limitInputPixels: false } as const;
  const sharp = await loadSharp();
  const image = sharp(path, input).autoOrient();
  const seconds = Math.ceil(timeoutMs / 1000);
  const { data, info } = await encode(arrange(image, plan), plan)
    .timeout({ seconds })
    .toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.pageHeight ?? info.height };
}

function arrange(image: Sharp, { crop, scaled, window, canvas, background }: RenderPlan): Sharp {
  if (crop !== null) image.extract(crop);
  image.resize(scaled.width, scaled.height, { fit: 'fill' });
  if (window !== null) image.extract(window);
  // Otherwise a gray image would turn a colored background gray.
  if (background !== null && isColored(background)) image.pipelineColourspace('srgb');
  if (background !== null) image.flatten({ background });
  if (canvas === null) return image;
  const inner = window ?? scaled;
  return image.extend({
    left: canvas.left,
    top: canvas.top,
    right: canvas.width - canvas.left - inner.width,
    bottom: canvas.height - canvas.top - inner.height,
    background: background ?? { r: 0, g: 0, b: 0, alpha: 0 },
  });
}

function isColored({ r, g, b }: Color): boolean {
  return r !== g || g !== b;
}

function encode(image: Sharp, { format, quality }: RenderPlan): Sharp {
  return image.toFormat(format, quality === null ? {} : { quality });
}
