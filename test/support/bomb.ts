import { crc32 } from 'node:zlib';

/** The sides of the images, in pixels. */
export const SIDE = 9000;

/** Returns a PNG whose header promises 81 million pixels. */
export function pngOf(data: Buffer, textBytes = 0): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const text = textBytes === 0 ? [] : [chunk('tEXt', Buffer.alloc(textBytes, 'a'))];
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const ends = [chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, chunk('IHDR', header), ...text, ...ends]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  return Buffer.concat([uint32be(data.length), body, uint32be(crc32(body))]);
}

function uint32be(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Returns a GIF whose header promises 81 million pixels. */
export function gifOf(data: Buffer, frameSide = SIDE): Buffer {
  const screen = Buffer.alloc(13 + 6);
  screen.write('GIF89a');
  screen.writeUInt16LE(SIDE, 6);
  screen.writeUInt16LE(SIDE, 8);
  screen[10] = 0x80;
  const frame = Buffer.alloc(10);
  frame[0] = 0x2c;
  frame.writeUInt16LE(frameSide, 5);
  frame.writeUInt16LE(frameSide, 7);
  return Buffer.concat([screen, frame, data, Buffer.from(';')]);
}

const ENTRIES = (compression: number, stripAt: number, stripBytes: number) =>
  [
    [256, SIDE],
    [257, SIDE],
    [258, 8],
    [259, compression],
    [262, 1],
    [273, stripAt],
    [277, 1],
    [278, SIDE],
    [279, stripBytes],
  ] as const;

/** Returns a TIFF with one strip whose header promises 81 million pixels. */
export function tiffOf({
  compression,
  stripBytes,
}: {
  compression: number;
  stripBytes: number;
}): Buffer {
  const bytes = Buffer.alloc(8 + 2 + 9 * 12 + 4 + 8);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(9, 8);
  for (const [index, [tag, value]] of ENTRIES(
    compression,
    bytes.length - 8,
    stripBytes,
  ).entries()) {
    const at = 10 + index * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(4, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  return bytes;
}

/** Returns the same with addresses of 64 bits, uncompressed. */
export function bigTiff(): Buffer {
  const bytes = Buffer.alloc(16 + 8 + 9 * 20 + 8 + 8);
  bytes.write('II+\0\b\0\0\0', 'latin1');
  bytes.writeBigUInt64LE(16n, 8);
  bytes.writeBigUInt64LE(9n, 16);
  for (const [index, [tag, value]] of ENTRIES(1, bytes.length - 8, 8).entries()) {
    const at = 24 + index * 20;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(4, at + 2);
    bytes.writeBigUInt64LE(1n, at + 4);
    bytes.writeUInt32LE(value, at + 12);
  }
  return bytes;
}

/** A WebP with an extended header, which gives the size. */
export function webpOf(image: Buffer): Buffer {
  const header = Buffer.alloc(18);
  header.write('VP8X');
  header.writeUInt32LE(10, 4);
  header.writeUIntLE(SIDE - 1, 12, 3);
  header.writeUIntLE(SIDE - 1, 15, 3);
  const riff = Buffer.alloc(12);
  riff.write('RIFF');
  riff.writeUInt32LE(4 + header.length + image.length, 4);
  riff.write('WEBP', 8);
  return Buffer.concat([riff, header, image]);
}

/** Returns the chunk of a lossless image in a WebP. */
export function vp8l(data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write('VP8L');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
