import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress } from 'node:zlib';
import { type Box, type BoxReader, removed } from './box.ts';
import { findAfterOffset } from './exif-offset.ts';
import { overwrite, type Patch, patched } from './patch.ts';
import { readBuffer } from './window.ts';
import { findInXmp } from './xmp-location.ts';

/** More metadata of a file than this are removed whole, as those of a bomb: to compress them again takes too long. */
export const UNPACKED_BYTES_MAX = 1024 * 1024;

/** The boxes of metadata in which location is looked for. */
const FINDERS: Readonly<Record<string, (bytes: Buffer) => Patch[] | Promise<Patch[]>>> = {
  Exif: findAfterOffset,
  'xml ': findInXmp,
};

/**
 * Finds location in a box of a JPEG XL that is compressed with Brotli (ISO/IEC 18181-2 §9.8). The box becomes shorter,
 * because what is removed needs less room, and a free box fills its place; if it does not, it is removed whole.
 */
export async function inCompressed(reader: BoxReader, box: Box): Promise<Patch[]> {
  const { at, start, end } = box;
  const inner = (await readBuffer(reader.source, start, 4)).toString('latin1');
  const find = FINDERS[inner];
  if (find === undefined) return [];
  const content = await unpacked(reader, start + 4, end - start - 4);
  if (content === null) return removed(box);
  const patches = await find(content);
  const changed = patched(content, patches);
  if (changed.equals(content)) return [];
  const shorter = boxOf('brob', Buffer.from(inner), await promisify(brotliCompress)(changed));
  const room = end - at - shorter.length;
  if (room !== 0 && room < 8) return removed(box);
  const filler = room === 0 ? [] : [boxOf('free', Buffer.alloc(room - 8))];
  return [overwrite(at, Buffer.concat([shorter, ...filler]))];
}

async function unpacked(reader: BoxReader, at: number, lengthBytes: number) {
  const { source, unpackedBytesLeft } = reader;
  if (unpackedBytesLeft <= 0 || lengthBytes > UNPACKED_BYTES_MAX) return null;
  try {
    const content = await promisify<Buffer, object, Buffer>(brotliDecompress)(
      await readBuffer(source, at, lengthBytes),
      { maxOutputLength: unpackedBytesLeft },
    );
    reader.unpackedBytesLeft -= content.length;
    return content;
  } catch {
    // The next one may be a bomb as well.
    reader.unpackedBytesLeft = 0;
    return null;
  }
}

function boxOf(type: string, ...parts: Buffer[]): Buffer {
  const box = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), ...parts]);
  box.writeUInt32BE(box.length, 0);
  return box;
}
