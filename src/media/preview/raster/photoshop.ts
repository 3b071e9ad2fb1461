import type { OpenSource } from '../../source.ts';
import type { DrawnImage } from '../decoder.ts';
import type { RasterLimits } from './bitmap.ts';
import { channelRows } from './photoshop-channel.ts';
import { findResource, type PhotoshopHeader, readPhotoshopHeader } from './photoshop-header.ts';
import { checkSize, readAt, unknownVariant } from './read.ts';
import { createShrinker } from './shrink.ts';

/**
 * Draws a Photoshop document (PSD, PSB): its flattened image if it has one of 8 or 16 bits, or else its thumbnail.
 * Throws PreviewError if it has neither.
 */
export async function drawPhotoshop(source: OpenSource, limits: RasterLimits): Promise<DrawnImage> {
  const header = await readPhotoshopHeader(source);
  checkSize(header.width, header.height, limits.pixelsMax);
  const isFlattened = await hasFlattenedImage(source, header);
  const toRgb = isFlattened ? converterOf(header) : undefined;
  if (toRgb !== undefined) return drawFlattened(source, header, toRgb, limits);
  const thumbnail = await readThumbnail(source, header);
  if (thumbnail === undefined) throw unknownVariant();
  return { bytes: thumbnail };
}

/** The resource of the version says whether the document was saved with a flattened image. */
const VERSION_RESOURCE = 1057;

async function hasFlattenedImage(source: OpenSource, header: PhotoshopHeader): Promise<boolean> {
  const version = await findResource(source, header, VERSION_RESOURCE);
  if (version === undefined || version.sizeBytes < 5) return true;
  return (await readAt(source, version.at + 4, 1))[0] !== 0;
}

const THUMBNAIL_RESOURCE = 1036;
const THUMBNAIL_HEADER_BYTES = 28;
const THUMBNAIL_BYTES_MAX = 4 * 1024 * 1024;

async function readThumbnail(
  source: OpenSource,
  header: PhotoshopHeader,
): Promise<Buffer | undefined> {
  const resource = await findResource(source, header, THUMBNAIL_RESOURCE);
  if (resource === undefined || resource.sizeBytes > THUMBNAIL_BYTES_MAX) return undefined;
  const bytes = await readAt(source, resource.at, resource.sizeBytes);
  const isJpeg = bytes.length > THUMBNAIL_HEADER_BYTES && bytes.readUInt32BE(0) === 1;
  return isJpeg ? bytes.subarray(THUMBNAIL_HEADER_BYTES) : undefined;
}

interface Converter {
  channels: number;
  /** Returns the red, green or blue of a pixel. */
  part(values: readonly Buffer[], x: number, part: number): number;
}

const MODE = { bitmap: 0, gray: 1, indexed: 2, rgb: 3, cmyk: 4, duotone: 8 } as const;

/** Returns how values become colors; undefined for a mode or a depth that is not drawn. */
function converterOf({ mode, depth, palette }: PhotoshopHeader): Converter | undefined {
  const at = (values: readonly Buffer[], channel: number, x: number) => values[channel]?.[x] ?? 0;
  if (mode === MODE.bitmap && depth === 1) {
    const bit = (row: Buffer | undefined, x: number) => ((row?.[x >> 3] ?? 0) >> (7 - (x & 7))) & 1;
    return { channels: 1, part: ([row], x) => 255 * (1 - bit(row, x)) };
  }
  if (depth !== 8 && depth !== 16) return undefined;
  if (mode === MODE.gray || mode === MODE.duotone) {
    return { channels: 1, part: (values, x) => at(values, 0, x) };
  }
  if (mode === MODE.rgb) return { channels: 3, part: (values, x, part) => at(values, part, x) };
  if (mode === MODE.indexed && palette.length === 768) {
    return {
      channels: 1,
      part: (values, x, part) => palette[part * 256 + at(values, 0, x)] ?? 0,
    };
  }
  if (mode !== MODE.cmyk) return undefined;
  // Stored inverted: 0 is full ink.
  return {
    channels: 4,
    part: (values, x, part) => (at(values, part, x) * at(values, 3, x)) / 255,
  };
}

async function drawFlattened(
  source: OpenSource,
  header: PhotoshopHeader,
  { channels, part }: Converter,
  { sideMax }: RasterLimits,
): Promise<DrawnImage> {
  if (header.channels < channels) throw unknownVariant();
  const rows = await channelRows(source, header, channels);
  const shrinker = createShrinker({ ...header, channels: 3 }, sideMax);
  const pixels = new Uint8Array(header.width * 3);
  for (let y = 0; y < header.height; y++) {
    const values = await rows(y);
    for (let at = 0; at < pixels.length; at++) {
      pixels[at] = part(values, Math.floor(at / 3), at % 3);
    }
    shrinker.add(pixels);
  }
  return shrinker.finish();
}
