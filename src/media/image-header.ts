import { decodedBytes, fullSizeBytes, loadSharp } from './decode-memory.ts';
import { createFileWindow } from './file-window.ts';
import { type Source, withSource } from './source.ts';
import { readWebpHeader } from './webp.ts';

/** The size and the decoding cost of an image, read from its header. */
export interface ImageHeader {
  /** Size of one frame as displayed, in pixels: with EXIF orientation applied. */
  width: number;
  height: number;
  /** Number of frames or pages. */
  pages: number;
  /** Whether the EXIF orientation turns the image, and does not only mirror it from left to right. */
  isTurned: boolean;
  /** Whether it has a color profile and more than 8 bits for each channel. */
  isDeep: boolean;
  /** Memory that decoding at a reduced size needs, in bytes; infinite when there is no decoder. */
  decodedBytes: number;
  /** Memory that decoding at full size needs, in bytes; infinite when there is no decoder. */
  fullSizeBytes: number;
}

/**
 * The readable formats: sharp's name of the format, by MIME type. SVG is not among them and must
 * never be added.
 */
const FORMATS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/tiff': 'tiff',
  'image/avif': 'heif',
  'image/heic': 'heif',
  'image/heif': 'heif',
};

/** Returns whether the header of images of this MIME type can be read. */
export function isReadable(mimeType: string): boolean {
  return mimeType in FORMATS;
}

/**
 * Returns whether images of this MIME type can be decoded, and so rendered. HEIC and HEIF are
 * readable but not decodable: sharp's binaries have no decoder for HEVC.
 */
export function isDecodable(mimeType: string): boolean {
  return isReadable(mimeType) && mimeType !== 'image/heic' && mimeType !== 'image/heif';
}

/**
 * Reads the header of an image; its MIME type must be readable. Throws the error of
 * libvips when the header is damaged.
 */
export async function readHeader(source: Source, mimeType: string): Promise<ImageHeader> {
  return mimeType === 'image/webp' ? readWebp(source) : readWithLibvips(source, mimeType);
}

async function readWithLibvips(source: Source, mimeType: string): Promise<ImageHeader> {
  const sharp = await loadSharp();
  const image = await sharp(source, { limitInputPixels: false }).metadata();
  // libvips detects the format itself. A file on whose format we disagree is not to be trusted.
  if (image.format !== FORMATS[mimeType])
    throw new Error(`expected ${mimeType}, but libvips reads ${image.format}`);
  // Patents encumber HEVC, so sharp's binaries have no decoder for HEIC.
  const isReadable = image.compression !== 'hevc';
  const orientation = image.orientation ?? 1;
  return {
    ...image.autoOrient,
    pages: image.pages ?? 1,
    isTurned: orientation > 2,
    isDeep: image.depth === 'ushort' && image.hasProfile,
    decodedBytes: isReadable ? decodedBytes(image) : Number.POSITIVE_INFINITY,
    fullSizeBytes: isReadable ? fullSizeBytes(image, orientation > 1) : Number.POSITIVE_INFINITY,
  };
}

function readWebp(source: Source): Promise<ImageHeader> {
  return withSource(source, async (source) => {
    const header = await readWebpHeader(createFileWindow(source), source.sizeBytes);
    if (header === null) throw new Error('WebP ends before its last chunk');
    const { width, height, frames, orientation } = header;
    const traits = { ...WEBP_TRAITS, width, height };
    const isUpright = orientation < 5 || orientation > 8;
    return {
      width: isUpright ? width : height,
      height: isUpright ? height : width,
      pages: frames,
      isTurned: orientation > 2,
      isDeep: false,
      decodedBytes: decodedBytes(traits),
      fullSizeBytes: fullSizeBytes(traits, orientation > 1),
    };
  });
}

const WEBP_TRAITS = { format: 'webp', channels: 4, depth: 'uchar', isProgressive: false } as const;
