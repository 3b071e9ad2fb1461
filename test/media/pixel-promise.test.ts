import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { BrokenImageError, probeImage } from '../../src/media/probe.ts';
import { withFile } from '../support/temporary-file.ts';

const LIMITS = { pixelsMax: 100_000_000, timeoutMs: 60_000 };
const SIDE = 9000;

describe('an image whose header promises pixels that its bytes cannot hold is rejected', () => {
  it.each<[string, Buffer]>([
    ['PNG', pngOf(deflateSync(Buffer.alloc(1)))],
    ['PNG with many bytes that are no pixels', pngOf(deflateSync(Buffer.alloc(1)), 500_000)],
    ['GIF', gifOf(Buffer.from([8, 2, 0x4c, 0x01, 0]))],
    ['TIFF, uncompressed', tiffOf({ compression: 1, stripBytes: 8 })],
    ['TIFF, uncompressed, with a size past the end', tiffOf({ compression: 1, stripBytes: 2e8 })],
    ['TIFF, LZW', tiffOf({ compression: 5, stripBytes: 8 })],
    ['TIFF, deflate', tiffOf({ compression: 8, stripBytes: 8 })],
    ['TIFF, BigTIFF', bigTiff()],
    ['WebP without pixels', webpOf(Buffer.alloc(0))],
    ['WebP with a header only', webpOf(vp8l(Buffer.from([0x2f, 0, 0, 0, 0])))],
  ])('%s', async (_, bytes) => {
    await expect(probe(bytes)).rejects.toThrow(BrokenImageError);
  });

  it('progressive JPEG', async () => {
    const small = await solid(16, 16).jpeg({ progressive: true }).toBuffer();
    const frame = small.indexOf(Buffer.from([0xff, 0xc2]));
    small.writeUInt16BE(SIDE, frame + 5);
    small.writeUInt16BE(SIDE, frame + 7);
    await expect(probe(small)).rejects.toThrow(BrokenImageError);
  });
});

describe('an image of one color is accepted, however small it is', () => {
  it.each<[string, number, (image: Sharp) => Sharp]>([
    ['PNG', SIDE, (image) => image.png({ compressionLevel: 9 })],
    ['PNG of one bit', 4000, (image) => image.png({ palette: true, colours: 2, effort: 1 })],
    ['PNG, interlaced', 3000, (image) => image.png({ progressive: true })],
    ['GIF', 4000, (image) => image.gif({ effort: 1 })],
    ['JPEG', 4000, (image) => image.jpeg({ quality: 1 })],
    ['JPEG, progressive', 4000, (image) => image.jpeg({ quality: 1, progressive: true })],
    ['TIFF, LZW', 4000, (image) => image.tiff({ compression: 'lzw', predictor: 'none' })],
    ['TIFF, deflate', 4000, (image) => image.tiff({ compression: 'deflate' })],
    ['TIFF, PackBits', 4000, (image) => image.tiff({ compression: 'packbits' })],
    ['TIFF, uncompressed', 1500, (image) => image.tiff({ compression: 'none' })],
    ['TIFF, JPEG', 4000, (image) => image.tiff({ compression: 'jpeg', quality: 1 })],
    ['TIFF, tiles', 4000, (image) => image.tiff({ compression: 'deflate', tile: true })],
    ['TIFF, BigTIFF', 4000, (image) => image.tiff({ compression: 'lzw', bigtiff: true })],
    [
      'TIFF, fax',
      4000,
      (image) => image.toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }),
    ],
    ['WebP, lossless', 4000, (image) => image.webp({ lossless: true, effort: 0 })],
    ['WebP, lossy', 2000, (image) => image.webp({ quality: 1, effort: 0 })],
    ['AVIF', 1000, (image) => image.avif({ quality: 1, effort: 0 })],
  ])('%s', async (_, side, encode) => {
    const bytes = await encode(solid(side, side)).toBuffer();
    expect(await probe(bytes)).toMatchObject({ width: side, height: side });
  });

  it('a GIF whose only frame is one pixel of a large screen', async () => {
    const bytes = gifOf(Buffer.from([2, 2, 0x4c, 0x01, 0]), 1);
    expect(await probe(bytes)).toMatchObject({ format: 'gif' });
  });
});

function probe(bytes: Buffer) {
  return withFile(bytes, (path) => probeImage(path, LIMITS));
}

function solid(width: number, height: number): Sharp {
  return sharp({
    create: { width, height, channels: 3, background: '#fff' },
    limitInputPixels: false,
  });
}

function pngOf(data: Buffer, textBytes = 0): Buffer {
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

function gifOf(data: Buffer, frameSide = SIDE): Buffer {
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

function tiffOf({ compression, stripBytes }: { compression: number; stripBytes: number }): Buffer {
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

function bigTiff(): Buffer {
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
function webpOf(image: Buffer): Buffer {
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

function vp8l(data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write('VP8L');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
