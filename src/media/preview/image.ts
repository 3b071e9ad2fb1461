import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../decode-memory.ts';
import { readHeader } from '../image-header.ts';
import { withIccProfile } from '../png-traits.ts';
import { BrokenImageError, ImageTooLargeError } from '../probe.ts';
import { type RenderedImage, renderImage } from '../render.ts';
import { sniffFile } from '../sniff.ts';
import { type DrawLimits, type DrawnImage, type Pixels, PreviewError } from './decoder.ts';

/** Renditions are made from the preview, so its quality is higher than theirs. */
const QUALITY = 90;

/**
 * Converts what a decoder has drawn to a still WebP in sRGB, without metadata, whose sides are at most `sideMax` pixels.
 * Throws PreviewError if it is not an intact image.
 */
export async function toPreview(drawn: DrawnImage, limits: DrawLimits): Promise<RenderedImage> {
  try {
    return await render(await storedPath(drawn, limits), limits);
  } catch (error) {
    const isReason = error instanceof BrokenImageError || error instanceof ImageTooLargeError;
    throw isReason ? new PreviewError(error.message, { cause: error }) : error;
  }
}

async function storedPath(drawn: DrawnImage, { directory, sideMax }: DrawLimits): Promise<string> {
  if ('path' in drawn) return drawn.path;
  const path = join(directory, 'drawn-image');
  await writeFile(path, 'bytes' in drawn ? drawn.bytes : await encodePixels(drawn, sideMax));
  return path;
}

async function render(path: string, limits: DrawLimits): Promise<RenderedImage> {
  const { mimeType } = await sniffFile(path);
  const { width, height } = await readHeader(path, mimeType);
  const ratio = Math.min(1, limits.sideMax / Math.max(width, height));
  const plan = {
    crop: null,
    scaled: {
      width: Math.max(1, Math.round(width * ratio)),
      height: Math.max(1, Math.round(height * ratio)),
    },
    ...{ window: null, canvas: null, background: null },
    ...({ format: 'webp', quality: QUALITY, mayMove: false } as const),
  };
  // The limit for uploaded images may be lower than the size of a preview.
  const pixelsMax = Math.max(limits.pixelsMax, limits.sideMax ** 2);
  return renderImage(path, plan, { pixelsMax, timeoutMs: limits.timeoutMs });
}

/** Encodes pixels as a PNG, scaled down so that no side is longer than `sideMax`. */
export async function encodePixels(pixels: Pixels, sideMax: number): Promise<Buffer> {
  const { width, height, channels, rowBytes = width * channels, iccProfile } = pixels;
  const sharp = await loadSharp();
  const raw = { width: rowBytes / channels, height, channels };
  const png = await sharp(pixels.pixels, { raw, limitInputPixels: false })
    .extract({ left: 0, top: 0, width, height })
    .resize({ width: sideMax, height: sideMax, fit: 'inside', withoutEnlargement: true })
    .png({ compressionLevel: 1 })
    .toBuffer();
  return iccProfile === undefined ? png : withIccProfile(png, iccProfile);
}
