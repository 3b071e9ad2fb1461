import { createFileWindow, type FileWindow } from '../../file-window.ts';
import type { OpenSource } from '../../source.ts';
import { readAt } from '../raster/read.ts';
import { findCanonPreview } from './canon-preview.ts';
import { jpegFrame } from './jpeg-frame.ts';
import type { Place, RawPreviews } from './place.ts';
import { findTiffPreviews } from './tiff-preview.ts';

/** Maximum number of moves of the window: raw files have a few hundred entries, close to each other. */
const MOVES_MAX = 2000;

const PREVIEW_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Returns the largest JPEG that the camera has put into a raw file, with the orientation of the photo; undefined for a
 * file without a JPEG. Does not develop the pixels of the sensor.
 */
export async function readRawPreview(source: OpenSource): Promise<Buffer | undefined> {
  const window = createFileWindow(source, MOVES_MAX);
  const { places, orientation } = await findPreviews(source, window);
  let best: { place: Place; pixels: number; hasExif: boolean } | undefined;
  for (const place of places) {
    if (place.sizeBytes > PREVIEW_BYTES_MAX) continue;
    if (place.at + place.sizeBytes > source.sizeBytes) continue;
    const frame = await jpegFrame(window, place);
    // Pixels of the sensor may be stored as a lossless JPEG, which no other program shows.
    if (frame === undefined || frame.isLossless) continue;
    const pixels = frame.width * frame.height;
    if (best === undefined || pixels > best.pixels)
      best = { place, pixels, hasExif: frame.hasExif };
  }
  if (best === undefined) return undefined;
  const jpeg = await readAt(source, best.place.at, best.place.sizeBytes);
  return best.hasExif || orientation === 1 ? jpeg : withOrientation(jpeg, orientation);
}

const FUJIFILM = 'FUJIFILMCCD-RAW ';

async function findPreviews(source: OpenSource, window: FileWindow): Promise<RawPreviews> {
  const head = Buffer.from(await readAt(source, 0, 128));
  if (head.length < 128) return { places: [], orientation: 1 };
  if (head.toString('latin1', 0, 16) === FUJIFILM) {
    const place = { at: head.readUInt32BE(84), sizeBytes: head.readUInt32BE(88) };
    return { places: [place], orientation: 1 };
  }
  if (head.toString('latin1', 4, 8) === 'ftyp') return findCanonPreview(source);
  return findTiffPreviews(window, head);
}

/** Returns a JPEG with an EXIF block that has the orientation. A damaged raw file may have any number there. */
function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  if (!(orientation >= 1 && orientation <= 8)) return jpeg;
  const exif = Buffer.from(EXIF, 'latin1');
  exif.writeUInt8(orientation, EXIF.length - 8);
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
}

/** An EXIF segment with one entry: the orientation, a SHORT. */
const EXIF =
  '\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0';
