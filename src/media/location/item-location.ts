import type { ByteSource } from '../file/details.ts';
import type { Box, BoxReader } from './box.ts';
import { findAfterOffset } from './exif-offset.ts';
import { overwrite, type Patch } from './patch.ts';
import { inFile, type Piece } from './pieces.ts';
import { readBuffer } from './window.ts';
import { findInXmp } from './xmp-location.ts';

/** A part of an item, by its place in the file. */
interface Extent {
  offset: number;
  lengthBytes: number;
}

/** An item of metadata, and where its type stands. */
interface Item {
  id: number;
  kind: 'exif' | 'xmp';
  typeAt: number;
}

const BOX_BYTES_MAX = 1024 * 1024;

/** Parts of all items of a box. A part may take no byte of the box. */
const EXTENTS_MAX = 20_000;

/**
 * Finds location in the items of EXIF and XMP of a `meta` box (ISO/IEC 14496-12 §8.11), wherever their bytes are. An item
 * whose bytes cannot be found becomes one of an unknown type, which readers leave out.
 */
export async function findInItems(
  reader: BoxReader,
  named: (type: string) => Box | undefined,
): Promise<Patch[]> {
  const { source } = reader;
  const [info, locations] = [named('iinf'), named('iloc')];
  if (info === undefined) return [];
  const items = itemsOf(await content(source, info), info.start);
  const extents =
    locations === undefined
      ? new Map<number, Extent[]>()
      : extentsOf(await content(source, locations), named('idat'));
  const patches: Patch[] = [];
  for (const item of items) {
    const own = extents.get(item.id);
    patches.push(...((await inItem(reader, item, own)) ?? [hidden(item)]));
  }
  return patches;
}

function content(source: ByteSource, { start, end }: Box): Promise<Buffer> {
  return readBuffer(source, start, Math.min(end - start, BOX_BYTES_MAX));
}

function hidden({ typeAt }: Item): Patch {
  return overwrite(typeAt, Buffer.from('skip'));
}

async function inItem(
  reader: BoxReader,
  { kind }: Item,
  extents: readonly Extent[] | undefined,
): Promise<Patch[] | null> {
  const sizeBytes = extents?.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0) ?? 0;
  if (extents === undefined || sizeBytes === 0 || sizeBytes > reader.itemBytesLeft) return null;
  reader.itemBytesLeft -= sizeBytes;
  const pieces: Piece[] = [];
  for (const { offset, lengthBytes } of extents) {
    pieces.push({ offset, bytes: await readBuffer(reader.source, offset, lengthBytes) });
  }
  const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
  return inFile(kind === 'exif' ? await findAfterOffset(bytes) : findInXmp(bytes), pieces);
}

/** Reads the entries of an item information box, §8.11.6. */
function itemsOf(bytes: Buffer, start: number): Item[] {
  const items: Item[] = [];
  // Version 0 counts with 16 bits.
  let at = bytes[0] === 0 ? 6 : 8;
  while (at + 20 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    if (size < 20) break;
    const isWide = bytes[at + 8] === 3;
    const id = isWide ? bytes.readUInt32BE(at + 12) : bytes.readUInt16BE(at + 12);
    const typeAt = at + (isWide ? 18 : 16);
    const type = bytes.toString('latin1', typeAt, typeAt + 4);
    const rest = bytes.toString('latin1', typeAt + 4, at + size);
    const isXmp = type === 'mime' && rest.includes('rdf+xml');
    if (type === 'Exif') items.push({ id, kind: 'exif', typeAt: start + typeAt });
    else if (isXmp) items.push({ id, kind: 'xmp', typeAt: start + typeAt });
    at += size;
  }
  return items;
}

/** Reads the item location box, §8.11.3. An item whose bytes are in another file, or in another item, is left out. */
function extentsOf(bytes: Buffer, idat: Box | undefined): Map<number, Extent[]> {
  const found = new Map<number, Extent[]>();
  const read = createReader(bytes);
  const version = read.number(1);
  read.number(3);
  const [sizes, others] = [read.number(1), read.number(1)];
  const [offsetBytes, lengthBytes] = [sizes >> 4, sizes & 15];
  const [baseBytes, indexBytes] = [others >> 4, version > 0 ? others & 15 : 0];
  const idBytes = version < 2 ? 2 : 4;
  let extentsLeft = EXTENTS_MAX;
  const count = read.number(idBytes);
  for (let index = 0; index < count && !read.isOver(); index++) {
    const id = read.number(idBytes);
    const method = version > 0 ? read.number(2) & 15 : 0;
    const reference = read.number(2);
    const base = read.number(baseBytes);
    const extents: Extent[] = [];
    for (let left = read.number(2); left > 0 && !read.isOver(); left--) {
      if (extentsLeft-- === 0) return found;
      read.number(indexBytes);
      extents.push({
        offset: base + read.number(offsetBytes),
        lengthBytes: read.number(lengthBytes),
      });
    }
    if (reference !== 0 || read.isOver()) continue;
    if (method === 0) found.set(id, extents);
    else if (method === 1 && idat !== undefined) {
      const inData = extents.map((one) => ({ ...one, offset: idat.start + one.offset }));
      found.set(id, inData);
    }
  }
  return found;
}

function createReader(bytes: Buffer) {
  let at = 0;
  return {
    /** Reads a number of that many bytes; 0 past the end. */
    number(size: number): number {
      let value = 0;
      for (const byte of bytes.subarray(at, at + size)) value = value * 256 + byte;
      at += size;
      return value;
    },
    isOver: () => at > bytes.length,
  };
}
