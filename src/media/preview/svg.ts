import type { Metadata } from 'sharp';
import { loadSharp } from '../decode-memory.ts';
import { type Drawing, type DrawLimits, type PreviewDecoder, PreviewError } from './decoder.ts';
import { readBounded } from './file.ts';

const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Minimum length of the longer side of a preview, in pixels, so that a small icon is sharp. */
const SIDE_MIN = 1024;

/** The range of densities that sharp accepts, and the density at which a drawing has its own size. */
const DENSITY = { min: 1, own: 72, max: 100_000 };

/**
 * Draws an SVG with librsvg, which is part of sharp's binaries. librsvg runs no scripts. It is given bytes without an
 * address, so that it resolves no reference to anything outside of them, not even to a file beside it.
 */
export const svgDecoder: PreviewDecoder = {
  name: 'svg',
  mimeTypes: ['image/svg+xml'],
  async find() {
    const { format } = await loadSharp();
    if (format.svg?.input.buffer) return { isAvailable: true };
    return { isAvailable: false, reason: 'This build of the package sharp cannot read SVG.' };
  },
  draw,
};

async function draw(path: string, { sideMax }: DrawLimits): Promise<Drawing> {
  const bytes = withEarlyTag(await readBounded(path, FILE_BYTES_MAX));
  const sharp = await loadSharp();
  try {
    const { density, longer } = await measure(bytes);
    const side = Math.min(Math.max(longer, SIDE_MIN), sideMax);
    const wanted = Math.min(Math.max((density * side) / longer, DENSITY.min), DENSITY.max);
    const drawing = sharp(bytes, { density: wanted, limitInputPixels: 4 * sideMax ** 2 });
    return { image: { bytes: await drawing.png({ compressionLevel: 1 }).toBuffer() } };
  } catch (cause) {
    throw new PreviewError('The drawing is damaged, too large, or too complex.', { cause });
  }
}

/** Returns the length of the longer side at a density. */
async function measure(bytes: Buffer): Promise<{ density: number; longer: number }> {
  const sharp = await loadSharp();
  const at = async (density: number) => {
    const options = { density, limitInputPixels: false };
    const { width, height }: Metadata = await sharp(bytes, options).metadata();
    return { density, longer: Math.max(width, height) };
  };
  // A drawing of more than 32,767 pixels cannot be measured at its own size.
  return at(DENSITY.own).catch(() => at(DENSITY.min));
}

/**
 * Returns bytes whose beginning contains `<svg`, in a comment if need be: libvips looks for it in the first 1000 bytes
 * only, which some programs fill with entities and comments.
 */
function withEarlyTag(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 900).includes('<svg')) return bytes;
  const head = bytes.toString('latin1', 0, 900);
  const at = /^(?:\xef\xbb\xbf)?\s*(?:<\?xml.*?\?>)?/s.exec(head)?.[0].length ?? 0;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from('<!--<svg-->'), bytes.subarray(at)]);
}
