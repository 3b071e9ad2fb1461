import sharp, { type Sharp } from 'sharp';
import {
  HEADER_BYTES,
  limitLibvips,
  RENDER_BYTES_MAX,
  reserveDecodeMemory,
  reserveRenderMemory,
} from './decode-memory.ts';
import { type ImageHeader, isReadable, readHeader } from './image-header.ts';
import { attempt, BrokenImageError, ImageTooLargeError, type ProbeLimits } from './probe.ts';
import { sniffFile } from './sniff.ts';

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Part of a picture, in pixels from its top left corner. */
export interface Rect extends Size {
  left: number;
  top: number;
}

/** 0 to 255 each. */
export interface Color {
  r: number;
  g: number;
  b: number;
}

/** Formats that are written. AVIF is none of them: it takes a hundred times as long as the others. */
export type RenderFormat = 'jpeg' | 'png' | 'gif' | 'webp';

/** What is to be made of a picture: every step in pixels, so that nothing is left to be decided. */
export interface RenderPlan {
  /** What to take of the picture, as it is displayed; null: all of it. */
  crop: Rect | null;
  /** The size that this is brought to. */
  scaled: Size;
  /** What to keep of that; null: all of it. */
  window: Rect | null;
  /** Where that lies in a larger picture; null: it is the picture. */
  canvas: Rect | null;
  /** Below what is transparent, and around the picture on a canvas; null: transparent. */
  background: Color | null;
  format: RenderFormat;
  /** 1 to 100; null where the format has none. */
  quality: number | null;
  /** Whether an animation may stay one. */
  mayMove: boolean;
}

/** What bounds a rendering. */
export interface RenderLimits extends ProbeLimits {
  /** How long it may wait for its turn. (Default: for ever) */
  patienceMs?: number;
}

/** A rendered picture. */
export interface RenderedImage extends Size {
  bytes: Buffer;
}

/**
 * Renders the picture at `path`, its EXIF orientation applied, in sRGB, without any metadata. An
 * animation that may stay one does where the format can hold it and all of its frames together are
 * no more than `ANIMATION_PIXELS_MAX`; of any other the first frame is taken. Throws BrokenImageError also for
 * what is no picture, for one that would take more memory than there is, and when the time is over;
 * ImageTooLargeError; RenderBusyError when its patience is over; and what opening the file throws.
 *
 * Off the main thread, at most two at once; the others wait, which does not count as time.
 */
export async function renderImage(
  path: string,
  plan: RenderPlan,
  { pixelsMax, timeoutMs, patienceMs = Number.POSITIVE_INFINITY }: RenderLimits,
): Promise<RenderedImage> {
  limitLibvips();
  // The row of the file has a type too. It is not trusted: libvips must get only what these bytes really are.
  const { mimeType } = await sniffFile(path);
  if (!isReadable(mimeType)) {
    throw new BrokenImageError('Pictures of this format cannot be read here.');
  }
  const reserved = reserveDecodeMemory(HEADER_BYTES);
  const header = await attempt(reserved, timeoutMs, () => readHeader(path, mimeType));
  if (header.width * header.height > pixelsMax) throw new ImageTooLargeError(pixelsMax);
  const isAnimated = isAnimationKept(mimeType, header, plan);
  const bytes = neededBytes(header, plan, isAnimated);
  if (!(bytes <= RENDER_BYTES_MAX)) {
    throw new BrokenImageError('Rendering the picture takes more memory than there is for it.');
  }
  const work = () => run(path, plan, { isAnimated, timeoutMs });
  return attempt(reserveRenderMemory(bytes, patienceMs), timeoutMs, work);
}

/** The color that most of a picture has; a few pixels of it are enough. */
export async function dominantColor(bytes: Buffer): Promise<Color> {
  limitLibvips();
  const small = await sharp(bytes).resize(64, 64, { fit: 'inside' }).png().toBuffer();
  return (await sharp(small).stats()).dominant;
}

/** All frames of an animation together: they are in memory at once. */
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

/** Bytes a pixel that the encoders hold which need the whole picture: GIF and WebP. */
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

async function run(
  path: string,
  plan: RenderPlan,
  { isAnimated, timeoutMs }: { isAnimated: boolean; timeoutMs: number },
): Promise<RenderedImage> {
  // The pixels have been counted, by the same header.
  const input = { failOn: 'error', animated: isAnimated, limitInputPixels: false } as const;
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
  // A gray picture would make its background gray, too.
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
