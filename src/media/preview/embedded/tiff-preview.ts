import type { FileWindow } from '../../file-window.ts';
import { type Entries, type Layout, nextDirectory, readDirectory, valuesOf } from '../../tiff.ts';
import type { Place, RawPreviews } from './place.ts';

/** Tags of TIFF 6.0, of its supplement 1, of DNG, and of Panasonic. */
const TAG = {
  panasonicJpeg: 0x2e,
  compression: 259,
  stripOffsets: 273,
  orientation: 274,
  stripByteCounts: 279,
  subDirectories: 330,
  jpegStart: 513,
  jpegSizeBytes: 514,
} as const;

/** The compressions that are JPEG: by TIFF 6.0, and by its supplement 2. */
const JPEG_COMPRESSIONS: readonly number[] = [6, 7];

/** Maximum number of directories to read: a hostile file may have many. */
const DIRECTORIES_MAX = 64;

/** Finds the JPEGs in a raw file that is a TIFF, or begins as one, such as those of Panasonic and Olympus. */
export async function findTiffPreviews(window: FileWindow, head: Buffer): Promise<RawPreviews> {
  const isLittle = head.toString('latin1', 0, 2) === 'II';
  const layout: Layout = { isLittle, isBig: false };
  const waiting = [isLittle ? head.readUInt32LE(4) : head.readUInt32BE(4)];
  const seen = new Set<number>([0]);
  const places: Place[] = [];
  let orientation: number | undefined;
  for (let start = waiting.shift(); start !== undefined; start = waiting.shift()) {
    if (seen.has(start) || seen.size > DIRECTORIES_MAX) continue;
    seen.add(start);
    const entries = await readDirectory(window, start, layout);
    const values = createReader(window, entries, layout);
    places.push(...(await placesOf(entries, values)));
    const [turn] = await values(TAG.orientation, 1);
    orientation ??= turn;
    waiting.push(...(await values(TAG.subDirectories, DIRECTORIES_MAX)));
    waiting.push(await nextDirectory(window, start, layout));
  }
  return { places, orientation: orientation ?? 1 };
}

type ValueReader = (tag: number, max: number) => Promise<number[]>;

function createReader(window: FileWindow, entries: Entries, layout: Layout): ValueReader {
  return (tag, max) => valuesOf(window, entries.get(tag), layout, max);
}

async function placesOf(entries: Entries, values: ValueReader): Promise<Place[]> {
  const places: Place[] = [];
  const [start] = await values(TAG.jpegStart, 1);
  const [sizeBytes] = await values(TAG.jpegSizeBytes, 1);
  if (start !== undefined && sizeBytes !== undefined) places.push({ at: start, sizeBytes });
  const [compression = 0] = await values(TAG.compression, 1);
  const strips = await values(TAG.stripOffsets, 2);
  const [stripBytes] = await values(TAG.stripByteCounts, 1);
  const [strip] = strips;
  if (JPEG_COMPRESSIONS.includes(compression) && strips.length === 1 && strip && stripBytes) {
    places.push({ at: strip, sizeBytes: stripBytes });
  }
  const panasonic = entries.get(TAG.panasonicJpeg);
  if (panasonic !== undefined) places.push({ at: panasonic.at, sizeBytes: panasonic.count });
  return places;
}
