import { open } from 'node:fs/promises';
import sharp from 'sharp';
import { decodedBytes, fullSizeBytes } from './decode-memory.ts';
import { createFileWindow } from './file-window.ts';
import { readWebpHeader } from './webp.ts';

/** What a picture's header says. */
export interface ImageHeader {
  /** As displayed: EXIF orientation is applied. Of one frame. */
  width: number;
  height: number;
  /** Frames or pages. */
  pages: number;
  /** What decoding it would hold in memory; infinite where there is no decoder. */
  decodedBytes: number;
  /** The same in its full size. */
  fullSizeBytes: number;
}

/**
 * sharp's name of the format, by MIME type: the formats that are read. SVG is none of them, and
 * never to become one.
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

/** Whether pictures of a MIME type can be read. */
export function isReadable(mimeType: string): boolean {
  return mimeType in FORMATS;
}

/** Whether they can be shown in another way, too: the decoder of HEIC is missing, see below. */
export function isDecodable(mimeType: string): boolean {
  return isReadable(mimeType) && mimeType !== 'image/heic' && mimeType !== 'image/heif';
}

/**
 * Reads the header of the picture at `path`, of a readable type. Throws whatever a damaged one
 * makes libvips throw.
 */
export async function readHeader(path: string, mimeType: string): Promise<ImageHeader> {
  return mimeType === 'image/webp' ? readWebp(path) : readWithLibvips(path, mimeType);
}

async function readWithLibvips(path: string, mimeType: string): Promise<ImageHeader> {
  const image = await sharp(path, { limitInputPixels: false }).metadata();
  // libvips looks for itself: what it takes for another format than we do is none to be trusted.
  if (image.format !== FORMATS[mimeType])
    throw new Error(`${mimeType} is ${image.format} to libvips`);
  // The decoder of HEIC is encumbered by patents, and not in sharp's binaries.
  const isReadable = image.compression !== 'hevc';
  const isTurned = (image.orientation ?? 1) > 1;
  return {
    ...image.autoOrient,
    pages: image.pages ?? 1,
    decodedBytes: isReadable ? decodedBytes(image) : Number.POSITIVE_INFINITY,
    fullSizeBytes: isReadable ? fullSizeBytes(image, isTurned) : Number.POSITIVE_INFINITY,
  };
}

async function readWebp(path: string): Promise<ImageHeader> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const header = await readWebpHeader(createFileWindow(file), size);
    if (header === null) throw new Error('WebP ends before its chunks do');
    const { width, height, frames, orientation } = header;
    const traits = { ...WEBP_TRAITS, width, height };
    const isTurned = orientation >= 5 && orientation <= 8;
    return {
      width: isTurned ? height : width,
      height: isTurned ? width : height,
      pages: frames,
      decodedBytes: decodedBytes(traits),
      fullSizeBytes: fullSizeBytes(traits, orientation > 1),
    };
  } finally {
    await file.close();
  }
}

const WEBP_TRAITS = { format: 'webp', channels: 4, depth: 'uchar', isProgressive: false } as const;
