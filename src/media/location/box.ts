import type { ByteSource } from '../file/details.ts';
import { overwrite, type Patch, zeros } from './patch.ts';
import { readBuffer } from './window.ts';

/** A box of an ISO base media file (ISO/IEC 14496-12 §4.2), or an atom of QuickTime. */
export interface Box {
  type: string;
  at: number;
  /** Where its content begins, and ends. */
  start: number;
  end: number;
}

/** A source, and the number of boxes, and of bytes of items, that may still be read of it. */
export interface BoxReader {
  source: ByteSource;
  boxesLeft: number;
  itemBytesLeft: number;
  /** Compressed metadata that may still be unpacked. */
  unpackedBytesLeft: number;
}

/** Yields the boxes in a part of a file. Ends at one that is damaged. */
export async function* boxesIn(reader: BoxReader, from: number, to: number): AsyncGenerator<Box> {
  const { source } = reader;
  for (let at = from; at + 8 <= to && reader.boxesLeft-- > 0; ) {
    const header = await readBuffer(source, at, 16);
    if (header.length < 8) return;
    const size = header.readUInt32BE(0);
    const isLong = size === 1 && header.length === 16;
    const headerBytes = isLong ? 16 : 8;
    // 0: up to the end.
    const sizeBytes = size === 0 ? to - at : isLong ? Number(header.readBigUInt64BE(8)) : size;
    if (sizeBytes < headerBytes) return;
    const end = Math.min(at + sizeBytes, to);
    yield { type: header.toString('latin1', 4, 8), at, start: at + headerBytes, end };
    at = end;
  }
}

/** Returns the patches that remove a box. A free box may be anywhere, and has any content. */
export function removed({ at, start, end }: Box): Patch[] {
  return [overwrite(at + 4, Buffer.from('free')), zeros(start, end - start)];
}
