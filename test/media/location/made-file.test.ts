import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../../src/media/file/details.ts';
import { findInBoxes } from '../../../src/media/location/box-location.ts';
import { findInExif, findInTiff } from '../../../src/media/location/exif-location.ts';
import { findInPng } from '../../../src/media/location/png-location.ts';
import { sourceOf } from '../../../src/media/location/window.ts';
import { findInXmp } from '../../../src/media/location/xmp-location.ts';

const SUB_IFDS = 0x014a;
const XMP = 700;

/** Returns a source, and the number of bytes that have been read of it. */
function counted(bytes: Buffer): { source: ByteSource; readBytes: () => number } {
  const source = sourceOf(bytes);
  let count = 0;
  const read: ByteSource['read'] = (position, lengthBytes) => {
    count += lengthBytes;
    return source.read(position, lengthBytes);
  };
  return { source: { ...source, read }, readBytes: () => count };
}

interface Entry {
  tag: number;
  type: number;
  count: number;
  value: number;
}

/** Returns a TIFF structure of one directory, behind which each byte is 1. */
function tiff(entries: readonly Entry[], sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, 1);
  bytes.write('II*\0\x08\0\0\0', 'latin1');
  bytes.writeUInt16LE(entries.length, 8);
  for (const [index, { tag, type, count, value }] of entries.entries()) {
    const at = 10 + 12 * index;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  return bytes;
}

function times<Item>(count: number, toItem: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => toItem(index));
}

describe('a file that is made to cost much', () => {
  // With a step for each pair of letters, these two would run for minutes.
  it('takes time in proportion to its size: XMP with a long name', () => {
    expect(findInXmp(Buffer.from(`<a ${'b'.repeat(300_000)}>`))).toEqual([]);
  });

  it('takes time in proportion to its size: a profile with many spaces, which is removed', async () => {
    const text = Buffer.from(`Raw profile type exif\0a 1 ${' '.repeat(300_000)}z`);
    expect(await findInPng(sourceOf(pngOf(text)))).toHaveLength(1);
  });

  it('has a bounded number of directories read, whatever points to them', async () => {
    const entries = times(2000, (index) => ({
      ...{ tag: SUB_IFDS, type: 4, count: 200 },
      value: 25_000 + 13 * index,
    }));
    const block = tiff(entries, 60_000);
    for (let at = 25_000; at < block.length; at++) block[at] = (at * 7919 + (at >> 3)) & 0xff;
    expect(await findInExif(block)).toEqual([expect.objectContaining({ lengthBytes: 60_000 })]);
  });

  it('has each byte removed once, however many tags point to it', async () => {
    const value = { type: 1, count: 50_000, value: 6020 };
    const bytes = tiff(
      times(500, (tag) => ({ tag, ...value })),
      60_000,
    );
    const { patches } = await findInTiff(sourceOf(bytes), 'gps');
    const removedBytes = patches.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    expect(removedBytes).toBeGreaterThan(50_000);
    expect(removedBytes).toBeLessThan(2 * bytes.length);
  });

  it('has embedded XMP read once, however many tags point to it', async () => {
    const value = { tag: XMP, type: 1, count: 40_000, value: 10_000 };
    const { source, readBytes } = counted(
      tiff(
        times(500, () => value),
        60_000,
      ),
    );
    await findInTiff(source);
    expect(readBytes()).toBeLessThan(2 * source.sizeBytes);
  });

  it('has a bounded number of bytes of items read, however many items have them', async () => {
    const { source, readBytes } = counted(heic(1000, 1, Buffer.alloc(1024 * 1024, ' ')));
    await findInBoxes(source);
    expect(readBytes()).toBeLessThan(20 * 1024 * 1024);
  });

  it('has a bounded number of parts of items listed', async () => {
    const { source } = counted(heic(3000, 65_535, Buffer.alloc(0)));
    // An item that is not read becomes one of an unknown type.
    expect((await findInBoxes(source)).length).toBe(3000);
  });
});

function pngOf(text: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(text.length, 8);
  head.write('tEXt', 12);
  return Buffer.concat([head, text, Buffer.alloc(4)]);
}

function box(type: string, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}

/** Returns a file of EXIF items, which all have the same bytes as each of their parts; without bytes, those are empty. */
function heic(itemCount: number, extentCount: number, data: Buffer): Buffer {
  const information = times(itemCount, (id) => {
    const entry = Buffer.from('\x02\0\0\0\0\0\0\0Exif\0', 'latin1');
    entry.writeUInt16BE(id, 4);
    return box('infe', entry);
  });
  const hasBytes = data.length > 0;
  const locations = times(itemCount, (id) => {
    const item = Buffer.alloc(hasBytes ? 14 : 6);
    item.writeUInt16BE(id);
    item.writeUInt16BE(extentCount, 4);
    if (hasBytes) item.writeUInt32BE(8, 6);
    if (hasBytes) item.writeUInt32BE(data.length, 10);
    return item;
  });
  const head = Buffer.alloc(8);
  head[4] = hasBytes ? 0x44 : 0;
  head.writeUInt16BE(itemCount, 6);
  const meta = box(
    'meta',
    Buffer.alloc(4),
    box('iinf', Buffer.alloc(6), ...information),
    box('iloc', head, ...locations),
  );
  return Buffer.concat([box('mdat', data), meta]);
}
