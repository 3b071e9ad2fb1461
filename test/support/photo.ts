import sharp from 'sharp';
import { randomBytes } from './random.ts';

/** A JPEG for tests of uploads. */
export interface Photo {
  bytes: Buffer;
  width: number;
  height: number;
}

/** Minimum bytes for a pixel of noise at quality 100 without subsampling: noise hardly compresses. */
const BYTES_PER_PIXEL = 2.9;

const photos = new Map<number, Promise<Photo>>();

/**
 * Returns a real JPEG of at least `sizeBytesMin` bytes (and at most a tenth more, from 100 kB on). It
 * shows noise, the same each time. Each size is encoded once per process: 10 MB take a third of a
 * second, 64 MiB two seconds.
 */
export function makePhoto({ sizeBytesMin }: { sizeBytesMin: number }): Promise<Photo> {
  const photo = photos.get(sizeBytesMin) ?? encodeNoise(sizeBytesMin);
  photos.set(sizeBytesMin, photo);
  return photo;
}

async function encodeNoise(sizeBytesMin: number): Promise<Photo> {
  for (
    let pixels = Math.ceil(sizeBytesMin / BYTES_PER_PIXEL);
    ;
    pixels = Math.ceil(pixels * 1.05)
  ) {
    const width = Math.max(8, Math.ceil(Math.sqrt((pixels * 4) / 3)));
    const height = Math.max(8, Math.ceil(pixels / width));
    const bytes = await sharp(randomBytes(width * height * 3), {
      raw: { width, height, channels: 3 },
    })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer();
    if (bytes.length >= sizeBytesMin) return { bytes, width, height };
  }
}
