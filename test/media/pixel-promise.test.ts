import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { DamagedImageError, PixelPromiseError, probeImage } from '../../src/media/probe.ts';
import { bigTiff, gifOf, pngOf, SIDE, tiffOf, vp8l, webpOf } from '../support/bomb.ts';
import { withFile } from '../support/temporary-file.ts';

const LIMITS = { pixelsMax: 100_000_000, timeoutMs: 60_000 };

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
  ])('%s', async (_, bytes) => {
    await expect(probe(bytes)).rejects.toThrow(PixelPromiseError);
  });

  // Its header gives no size without pixels, so no program trusts it.
  it.each<[string, Buffer]>([
    ['WebP without pixels', webpOf(Buffer.alloc(0))],
    ['WebP with a header only', webpOf(vp8l(Buffer.from([0x2f, 0, 0, 0, 0])))],
  ])('%s, as damaged', async (_, bytes) => {
    await expect(probe(bytes)).rejects.toThrow(DamagedImageError);
  });

  it.each<[string, (image: Sharp) => Sharp, (bytes: Buffer) => void]>([
    ['JPEG', (image) => image.jpeg(), (bytes) => claimInJpeg(bytes, 0xc0)],
    [
      'JPEG, progressive',
      (image) => image.jpeg({ progressive: true }),
      (bytes) => claimInJpeg(bytes, 0xc2),
    ],
    ['TIFF, JPEG', (image) => image.tiff({ compression: 'jpeg' }), claimInTiff],
    ['WebP, lossy', (image) => image.webp(), (bytes) => claimInVp8(bytes, bytes.indexOf('VP8 '))],
    [
      'WebP, lossless, with another size of the canvas',
      (image) => image.webp({ lossless: true }).withExif({ IFD0: { Copyright: 'a' } }),
      claimInVp8x,
    ],
  ])('%s, by an intact image of 256 pixels', async (_, encode, claim) => {
    const bytes = await encode(solid(16, 16)).toBuffer();
    expect(await probe(bytes)).toMatchObject({ width: 16 });
    claim(bytes);
    await expect(probe(bytes)).rejects.toThrow(PixelPromiseError);
  });
});

function claimInJpeg(bytes: Buffer, frameMarker: number): void {
  const frame = bytes.indexOf(Buffer.from([0xff, frameMarker]));
  bytes.writeUInt16BE(SIDE, frame + 5);
  bytes.writeUInt16BE(SIDE, frame + 7);
}

function claimInVp8(bytes: Buffer, chunk: number): void {
  bytes.writeUInt16LE(SIDE, chunk + 14);
  bytes.writeUInt16LE(SIDE, chunk + 16);
}

function claimInVp8x(bytes: Buffer): void {
  const chunk = bytes.indexOf('VP8X');
  bytes.writeUIntLE(SIDE - 1, chunk + 12, 3);
  bytes.writeUIntLE(SIDE - 1, chunk + 15, 3);
}

/** Replaces the values of width and height, the first two entries of the directory. */
function claimInTiff(bytes: Buffer): void {
  const directory = bytes.readUInt32LE(4);
  for (const entry of [directory + 2, directory + 14]) bytes.writeUInt16LE(SIDE, entry + 8);
}

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
