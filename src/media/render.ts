import { readFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import {
  HEADER_BYTES,
  loadSharp,
  RENDER_BYTES_MAX,
  reserveDecodeMemory,
  reserveRenderMemory,
} from './decode-memory.ts';
import { createFileWindow } from './file-window.ts';
import { type ImageHeader, isReadable, readHeader } from './image-header.ts';
import { hasEnd } from './jpeg-end.ts';
import { CAN_MOVE, type Motion, motionOf } from './motion.ts';
import { type PngTraits, readPngTraits, withColorProfile } from './png-traits.ts';
import { attempt, BrokenImageError, ImageTooLargeError, type ProbeLimits } from './probe.ts';
import { type Encoding, encode, encoderPixelBytes } from './rendition/encode.ts';
import { sniffFile } from './sniff.ts';
import { withSource } from './source.ts';

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

/** A color that lets through what is behind it; `alpha` is 0 (transparent) to 1 (opaque). */
export interface Background extends Color {
  alpha: number;
}

/** The formats that a rendition can have. */
export type RenderFormat = Encoding['format'];

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
  background: Background | null;
  format: RenderFormat;
  /** 1 to 100; null when the format has no quality setting. */
  quality: number | null;
  /** Whether an animation has to stay animated, as far as the format can be animated. */
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
 * The rendition of an animation would stand still, since the server cannot decode all frames, or would need too much
 * memory for them.
 */
export class LostMotionError extends Error {
  override readonly name = 'LostMotionError';
}

/**
 * Renders the image at `path` in sRGB, with its EXIF orientation applied and without metadata. An
 * animation stays animated if the plan says so, and the output format can be animated or is that of the image;
 * otherwise its first frame is rendered. Of a TIFF with several pages, the first is.
 *
 * Throws BrokenImageError when the file is not an intact image of a supported format, when
 * rendering needs more than `RENDER_BYTES_MAX` of memory, or when it takes longer than `timeoutMs`.
 * Throws ImageTooLargeError, RenderBusyError after waiting for `patienceMs`, and the file system's
 * error when the file cannot be opened. Throws LostMotionError for an animation whose frames together have more than
 * `ANIMATION_PIXELS_MAX` pixels, for an animated PNG or AVIF, and for an AVIF of an animation.
 *
 * Runs off the main thread, at most two renderings at once. Others wait; waiting does not count
 * towards `timeoutMs`.
 */
export async function renderImage(
  path: string,
  plan: RenderPlan,
  limits: RenderLimits,
): Promise<RenderedImage> {
  const { bytes, width, height } = await renderWith(path, plan, limits, encode);
  return { bytes, width, height };
}

/** The pixels of a rendered image, in sRGB, row by row, with 8 bits for each channel. */
export interface Pixels extends RenderedImage {
  /** 3, or 4 with alpha, which the colors are not multiplied by. */
  channels: 3 | 4;
  /** Whether the pixels are the first frame of an animation. */
  isAnimated: boolean;
}

/** Renders an image as `renderImage` does, but stops before encoding. Of an animation, renders the first frame. */
export function renderPixels(
  path: string,
  plan: RenderPlan,
  limits: RenderLimits,
): Promise<Pixels> {
  return renderWith(path, { ...plan, mayMove: false }, limits, (image) => image.raw());
}

type Encode = (image: Sharp, plan: RenderPlan) => Sharp;

async function renderWith(
  path: string,
  plan: RenderPlan,
  { pixelsMax, timeoutMs, patienceMs = Number.POSITIVE_INFINITY }: RenderLimits,
  toOutput: Encode,
): Promise<Pixels> {
  // The row of the file has a type too. It is not trusted: libvips must get only what these bytes really are.
  const { mimeType } = await sniffFile(path);
  if (!isReadable(mimeType)) {
    throw new BrokenImageError('Images of this format are not supported.');
  }
  const reserved = reserveDecodeMemory(HEADER_BYTES);
  const image = await attempt(reserved, timeoutMs, () => readImage(path, mimeType));
  const { header } = image;
  if (header.width * header.height > pixelsMax) throw new ImageTooLargeError(pixelsMax);
  const isAnimated = isAnimationKept(image, plan);
  const bytes = neededBytes(image, plan, isAnimated);
  if (!(bytes <= RENDER_BYTES_MAX)) {
    throw new BrokenImageError('Rendering the image needs more memory than the server allows.');
  }
  // A JPEG without its end marker has all of its pixels: others were not accepted as images.
  const failOn = mimeType !== 'image/jpeg' || (await hasEnd(path)) ? 'error' : 'none';
  const work = () => run(image, plan, { isAnimated, failOn, timeoutMs, encode: toOutput });
  return attempt(reserveRenderMemory(bytes, patienceMs), timeoutMs, work);
}

/** An image to render. */
interface Image {
  path: string;
  sizeBytes: number;
  mimeType: string;
  header: ImageHeader;
  motion: Motion;
  /** Null for other formats. */
  png: PngTraits | null;
}

async function readImage(path: string, mimeType: string): Promise<Image> {
  const header = await readHeader(path, mimeType);
  return withSource(path, async (source) => {
    const window = createFileWindow(source);
    const png = mimeType === 'image/png' ? await readPngTraits(window) : null;
    const motion = await motionOf(mimeType, window, { header, png });
    return { path, sizeBytes: source.sizeBytes, mimeType, header, motion, png };
  });
}

/** Maximum pixels of all frames of an animation together: all of them are in memory at once. */
const ANIMATION_PIXELS_MAX = 20_000_000;

function isAnimationKept({ mimeType, motion, header }: Image, plan: RenderPlan): boolean {
  const type = `image/${plan.format}`;
  const isMoving = CAN_MOVE.includes(type);
  // A PNG or JPEG of a GIF stands still, because that is what was asked for. An AVIF could move, but is never written so.
  const isWanted = plan.mayMove && (isMoving || type === mimeType || plan.format === 'avif');
  if (motion === 'none' || !isWanted) return false;
  const output = outputSize(plan);
  const framePixels = Math.max(header.width * header.height, output.width * output.height);
  const isSmall = framePixels * header.pages <= ANIMATION_PIXELS_MAX;
  const isPossible = isMoving && motion === 'decodable' && isSmall;
  if (!isPossible) throw new LostMotionError('The rendition of the animation would stand still.');
  return true;
}

function neededBytes(image: Image, plan: RenderPlan, isAnimated: boolean): number {
  const { header } = image;
  const frames = isAnimated ? header.pages : 1;
  const output = outputSize(plan);
  const encoded = output.width * output.height * encoderPixelBytes(plan.format);
  const animation = isAnimated ? header.width * header.height * 4 * (frames - 1) : 0;
  const recolored = image.png?.space == null ? 0 : recoloredBytes(image, image.png);
  return header.fullSizeBytes + animation + recolored + encoded * frames;
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
  encode: Encode;
}

async function run(
  image: Image,
  plan: RenderPlan,
  { isAnimated, failOn, timeoutMs, encode }: RunOptions,
): Promise<Pixels> {
  // `renderImage` has checked the number of pixels already, from the same header.
  const options = { failOn, animated: isAnimated, limitInputPixels: false } as const;
  const sharp = await loadSharp();
  const input = image.png?.space == null ? image.path : await recolor(image.path, image.png);
  const seconds = Math.ceil(timeoutMs / 1000);
  const arranged = arrange(sharp(input, options).autoOrient(), plan);
  if (isInWideSpace(image)) arranged.withIccProfile('srgb', { attach: false });
  const { data, info } = await encode(arranged, plan)
    .timeout({ seconds })
    .toBuffer({ resolveWithObject: true });
  return {
    bytes: data,
    width: info.width,
    height: info.pageHeight ?? info.height,
    channels: info.channels === 4 ? 4 : 3,
    isAnimated: image.motion !== 'none',
  };
}

/**
 * Tells whether sharp decodes the image into Display P3, as it does with those of 16 bits that have a profile, or are given
 * one by `recolor`. It then writes these numbers without a profile, as if they were of sRGB, unless it is asked for sRGB.
 */
function isInWideSpace({ header, png }: Image): boolean {
  return header.isDeep || (png !== null && png.space !== null && png.depth === 16);
}

function recoloredBytes({ sizeBytes, header }: Image, png: PngTraits): number {
  return 2 * sizeBytes + (isDeepGray(png) ? 2 * 8 * header.width * header.height : 0);
}

/** Returns a PNG whose color space libvips knows. */
async function recolor(path: string, png: PngTraits): Promise<Buffer> {
  const bytes = await readFile(path);
  if (png.space === null) return bytes;
  if (!isDeepGray(png)) return withColorProfile(bytes, png.space, png.isGray);
  // sharp ignores the profile of a gray image of 16 bits.
  const sharp = await loadSharp();
  const colored = sharp(bytes, { failOn: 'error', limitInputPixels: false }).keepExif();
  const deep = await colored.toColourspace('rgb16').png({ compressionLevel: 0 }).toBuffer();
  return withColorProfile(deep, png.space, false);
}

const isDeepGray = ({ isGray, depth }: PngTraits) => isGray && depth === 16;

function arrange(image: Sharp, plan: RenderPlan): Sharp {
  const { crop, scaled, window, canvas, background } = plan;
  if (crop !== null) image.extract(crop);
  image.resize(scaled.width, scaled.height, { fit: 'fill' });
  if (window !== null) image.extract(window);
  if (canvas !== null) {
    const inner = window ?? scaled;
    image.extend({
      left: canvas.left,
      top: canvas.top,
      right: canvas.width - canvas.left - inner.width,
      bottom: canvas.height - canvas.top - inner.height,
      background: { r: 0, g: 0, b: 0, alpha: 0 },
    });
  }
  return background === null ? image : paintBehind(image, background, outputSize(plan));
}

/** Maximum side of the tiles of which a background is composed, in pixels. */
const TILE_SIDE_MAX = 64;

/**
 * Paints a color behind the image. It is composed, and neither flattened nor part of the canvas: those would mix it in
 * the color space of the image, which may be gray, and a GIF would get it in the colors of its old palette.
 */
function paintBehind(image: Sharp, background: Background, size: Size): Sharp {
  const width = Math.min(size.width, TILE_SIDE_MAX);
  const height = Math.min(size.height, TILE_SIDE_MAX);
  const input = { create: { width, height, channels: 4, background } } as const;
  image.composite([{ input, tile: true, blend: 'dest-over' }]);
  return background.alpha === 1 ? image.removeAlpha() : image;
}
