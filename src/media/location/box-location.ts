import type { ByteSource } from '../file/details.ts';
import { type Box, type BoxReader, boxesIn, removed } from './box.ts';
import { inCompressed, UNPACKED_BYTES_MAX } from './compressed-box.ts';
import { findInExif } from './exif-location.ts';
import { findAfterOffset } from './exif-offset.ts';
import { findInItems } from './item-location.ts';
import { moved, type Patch, spaces, zeros } from './patch.ts';
import { readBuffer } from './window.ts';
import { findInXmp } from './xmp-location.ts';

const BOXES_MAX = 20_000;
const CONTENT_BYTES_MAX = 16 * 1024 * 1024;

/** Boxes whose content is boxes, as far as location may be among them. */
const CONTAINERS: ReadonlySet<string> = new Set(['moov', 'trak', 'udta']);

/** Boxes of user data that are a location: those of QuickTime and Android, and of 3GPP TS 26.244 §8.2. */
const PLACES: ReadonlySet<string> = new Set(['\xa9xyz', 'loci']);

/** UUIDs of boxes: XMP (specification, part 3, §2.2.1), and the metadata of Canon's raw format. */
const XMP_UUID = 'be7acfcb97a942e89c71999491e3afac';
const CANON_UUID = '85c0b687820f11e08111f4ce462b6a48';

/**
 * Finds location in an ISO base media file: the items of EXIF and XMP of HEIC and AVIF images; the boxes of user data,
 * the keys of Apple, and XMP of MP4 and QuickTime videos; and the boxes of JPEG XL. Location that changes with time, in a
 * track of its own, is not found. Reads the headers of boxes, and no pixels or sound.
 */
export async function findInBoxes(source: ByteSource): Promise<Patch[]> {
  const reader = {
    source,
    boxesLeft: BOXES_MAX,
    itemBytesLeft: CONTENT_BYTES_MAX,
    unpackedBytesLeft: UNPACKED_BYTES_MAX,
  };
  return inContainer(reader, 0, source.sizeBytes, true);
}

async function inContainer(
  reader: BoxReader,
  from: number,
  to: number,
  isTop = false,
): Promise<Patch[]> {
  const patches: Patch[] = [];
  for await (const box of boxesIn(reader, from, to)) {
    patches.push(...(await inBox(reader, box, isTop)));
  }
  return patches;
}

async function inBox(reader: BoxReader, box: Box, isTop: boolean): Promise<Patch[]> {
  const { type, start, end } = box;
  if (CONTAINERS.has(type)) return inContainer(reader, start, end);
  if (type === 'meta') return inMeta(reader, box);
  if (PLACES.has(type)) return removed(box);
  if (type === 'XMP_') return inContent(reader, start, end, findInXmp);
  if (type === 'uuid') return inUuid(reader, box);
  if (!isTop) return [];
  if (type === 'Exif') return inContent(reader, start, end, findAfterOffset);
  if (type === 'xml ') return inContent(reader, start, end, findInXmp);
  if (type === 'brob') return inCompressed(reader, box);
  // What a JPEG XL needs to become the JPEG again that it was: all metadata of that, compressed. The image needs none of it.
  if (type === 'jbrd') return removed(box);
  return [];
}

async function inContent(
  { source }: BoxReader,
  start: number,
  end: number,
  find: (bytes: Buffer) => Patch[] | Promise<Patch[]>,
): Promise<Patch[]> {
  if (end - start > CONTENT_BYTES_MAX) return [zeros(start, end - start)];
  return moved(await find(await readBuffer(source, start, end - start)), start);
}

async function inUuid(reader: BoxReader, { start, end }: Box): Promise<Patch[]> {
  const uuid = (await readBuffer(reader.source, start, 16)).toString('hex');
  if (uuid === XMP_UUID) return inContent(reader, start + 16, end, findInXmp);
  if (uuid !== CANON_UUID) return [];
  const patches: Patch[] = [];
  for await (const { type, start: from, end: to } of boxesIn(reader, start + 16, end)) {
    if (type === 'CMT4') {
      patches.push(...(await inContent(reader, from, to, (bytes) => findInExif(bytes, 'gps'))));
    }
  }
  return patches;
}

async function inMeta(reader: BoxReader, { start, end }: Box): Promise<Patch[]> {
  // QuickTime's has no version and flags before its boxes.
  const head = await readBuffer(reader.source, start, 8);
  const from = head.toString('latin1', 4, 8) === 'hdlr' ? start : start + 4;
  const boxes: Box[] = [];
  for await (const box of boxesIn(reader, from, end)) boxes.push(box);
  const named = (type: string) => boxes.find((box) => box.type === type);
  const keys = await placeKeys(reader, named('keys'));
  const patches = await inList(reader, named('ilst'), keys);
  patches.push(...(await findInItems(reader, named)));
  return patches;
}

const PLACE_KEY = /location|latitude|longitude|altitude|gps/i;

/** Returns the numbers, from 1 on, of the keys of Apple that name a location. */
async function placeKeys({ source }: BoxReader, box: Box | undefined): Promise<Set<number>> {
  const found = new Set<number>();
  if (box === undefined) return found;
  const bytes = await readBuffer(source, box.start, Math.min(box.end - box.start, 1024 * 1024));
  let at = 8;
  for (let index = 1; at + 8 <= bytes.length; index++) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    if (PLACE_KEY.test(bytes.toString('latin1', at + 8, at + size))) found.add(index);
    at += size;
  }
  return found;
}

async function inList(
  reader: BoxReader,
  list: Box | undefined,
  keys: ReadonlySet<number>,
): Promise<Patch[]> {
  const patches: Patch[] = [];
  if (list === undefined) return patches;
  for await (const { type, start, end } of boxesIn(reader, list.start, list.end)) {
    if (!PLACES.has(type) && !keys.has(Buffer.from(type, 'latin1').readUInt32BE(0))) continue;
    for await (const value of boxesIn(reader, start, end)) {
      // The type and the language of the value come before it.
      if (value.type === 'data') patches.push(spaces(value.start + 8, value.end - value.start - 8));
    }
  }
  return patches;
}
