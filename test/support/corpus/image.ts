import { deflateSync } from 'node:zlib';
import type { Sharp } from 'sharp';
import { gifOf, pngOf, tiffOf } from '../bomb.ts';
import { fixtureBytes } from '../bytes.ts';
import { noise } from '../image.ts';
import { makePhoto } from '../photo.ts';
import { type CorpusFile, type Row, toFiles } from './file.ts';

/** Returns images: intact, without their last marker, damaged, of formats that have no decoder here, and bombs. */
export async function imageFiles(): Promise<CorpusFile[]> {
  const whole = await wholeImages();
  const damaged = whole.filter(([filename]) => DAMAGED.includes(filename));
  return [
    ...toFiles('intact', whole),
    ...toFiles('without its last marker', await endlessImages(whole)),
    ...toFiles('cut off', damaged.flatMap(cuts)),
    ...toFiles('garbage', damaged.map(garbage)),
    ...toFiles('damaged', await damagedImages()),
    ...toFiles('no decoder', UNDECODABLE),
    ...toFiles('camera', [['a.dng', find(whole, 'deflate.tif'), 'file image/x-adobe-dng']]),
    ...toFiles('bomb', await bombs()),
  ];
}

async function wholeImages(): Promise<Row[]> {
  const [wide, { bytes: photo }] = [noise(2400, 30), await makePhoto({ sizeBytesMin: 200_000 })];
  const encoded: [string, Sharp][] = [
    ['a.jpg', noise().jpeg()],
    ['progressive.jpg', noise().jpeg({ progressive: true })],
    ['gray.jpg', noise().grayscale().jpeg()],
    ['cmyk.jpg', noise().toColourspace('cmyk').jpeg()],
    ['a.png', noise().png()],
    ['interlaced.png', noise().png({ progressive: true })],
    ['palette.png', noise().png({ palette: true })],
    ['deep.png', noise().toColourspace('rgb16').png()],
    ['transparent.png', noise().ensureAlpha(0.5).png()],
    // Wider than what is decoded at the upload.
    ['wide.png', wide.clone().png()],
    ['wide-interlaced.png', wide.clone().png({ progressive: true })],
    ['a.gif', noise().gif({ effort: 1 })],
    ['a.webp', noise().webp({ effort: 0 })],
    ['lossless.webp', noise().webp({ lossless: true, effort: 0 })],
    ['a.avif', noise().avif({ effort: 0 })],
    ['lzw.tif', noise().tiff({ compression: 'lzw' })],
    ['deflate.tif', noise().tiff({ compression: 'deflate' })],
    ['raw.tiff', noise().tiff({ compression: 'none' })],
  ];
  const rows: Row[] = [
    ['large.jpg', photo, 'image image/jpeg'],
    ['turned.jpg', fixtureBytes('photo-with-exif-rotation.jpg'), 'image image/jpeg'],
    ['moving.gif', fixtureBytes('animation.gif'), 'image image/gif'],
    // Its header can be read, though it cannot be decoded.
    ['a.heic', fixtureBytes('picture.heic'), 'image image/heic'],
  ];
  for (const [filename, image] of encoded) {
    rows.push([filename, await image.toBuffer(), `image image/${formatOf(filename)}`]);
  }
  return rows;
}

function formatOf(filename: string): string {
  const extension = filename.split('.').at(-1) ?? '';
  return { jpg: 'jpeg', tif: 'tiff' }[extension] ?? extension;
}

/** Images that every browser shows, although they lack their last marker. */
async function endlessImages(whole: readonly Row[]): Promise<Row[]> {
  const larger = noise(1400, 1400).jpeg({ progressive: true, quality: 20 });
  const jpegs = ['a.jpg', 'progressive.jpg', 'gray.jpg', 'large.jpg'];
  return [
    ...jpegs.map((name): Row => [name, find(whole, name).subarray(0, -2), 'image image/jpeg']),
    ['half-a-marker.jpg', find(whole, 'a.jpg').subarray(0, -1), 'image image/jpeg'],
    ['not-decoded.jpg', (await larger.toBuffer()).subarray(0, -2), 'image image/jpeg'],
    ['a.png', find(whole, 'a.png').subarray(0, -12), 'image image/png'],
    ['half-a-chunk.png', find(whole, 'a.png').subarray(0, -6), 'image image/png'],
    ['wide.png', find(whole, 'wide.png').subarray(0, -12), 'image image/png'],
    ['wide-half.png', find(whole, 'wide.png').subarray(0, -6), 'image image/png'],
    ['interlaced.png', find(whole, 'wide-interlaced.png').subarray(0, -12), 'image image/png'],
    ['a.gif', find(whole, 'a.gif').subarray(0, -1), 'image image/gif'],
    ['moving.gif', find(whole, 'moving.gif').subarray(0, -1), 'image image/gif'],
  ];
}

/** One image of each kind that is checked in its own way. */
const DAMAGED = [
  ...['a.jpg', 'progressive.jpg', 'large.jpg', 'a.png', 'interlaced.png', 'wide.png', 'a.gif'],
  ...['moving.gif', 'a.webp', 'lossless.webp', 'a.avif', 'a.heic', 'deflate.tif', 'raw.tiff'],
];

function cuts([filename, bytes, verdict]: Row): Row[] {
  return [0.6, 0.98].map((share) => {
    const cut = (bytes as Buffer).subarray(0, Math.floor(bytes.length * share));
    return [`${share}-${filename}`, cut, asFile(verdict)];
  });
}

/** Keeps what comes before the pixels of a PNG: no program takes the rest for one. */
function garbage([filename, bytes, verdict]: Row): Row {
  const copy = Buffer.from(bytes as Buffer);
  const from = filename.endsWith('.png') ? copy.indexOf('IDAT') + 12 : 16;
  return [filename, copy.fill(0xa5, from), asFile(verdict)];
}

function asFile(verdict: string | null): string {
  return verdict?.replace(/^\w+/, 'file') ?? '';
}

async function damagedImages(): Promise<Row[]> {
  const wide = await noise(2400, 30).png({ compressionLevel: 1 }).toBuffer();
  wide.writeUInt8(wide.readUInt8(wide.length >> 1) ^ 4, wide.length >> 1);
  return [
    ['truncated.jpg', fixtureBytes('truncated.jpg'), 'file image/jpeg'],
    ['truncated.png', fixtureBytes('truncated.png'), 'file image/png'],
    ['crc-broken.png', fixtureBytes('crc-broken.png'), 'file image/png'],
    ['one-bit.png', wide, 'file image/png'],
    ['signature.jpg', Buffer.from('ffd8ffe000104a464946', 'hex'), 'file image/jpeg'],
    ['signature.gif', Buffer.from('474946383961010001000000', 'hex'), 'file image/gif'],
  ];
}

/** The beginning of a file, and zeros: formats are told by their beginning. */
function start(hex: string): Buffer {
  return Buffer.concat([Buffer.from(hex.replaceAll(' ', ''), 'hex'), Buffer.alloc(200)]);
}

const UNDECODABLE: readonly Row[] = [
  ['a.ico', start('00000100 0100 1010 0000 0100 1800 6803 0000 1600 0000'), 'file image/x-icon'],
  ['a.cur', start('00000200 0100 1010 0000 0100 1800 6803 0000 1600 0000'), 'file image/x-icon'],
  ['a.tga', start('00000200 0000 0000 0000 0000 0200 0200 1800'), 'file image/x-tga'],
  [
    'a.bmp',
    start('424d46000000000000003600000028000000020000000200000001001800'),
    'file image/bmp',
  ],
  ['a.psd', start('38425053 0001 000000000000 0003 00000001'), 'file image/vnd.adobe.photoshop'],
  ['bare.jxl', start('ff0a 0001 7f00 9012'), 'file image/jxl'],
  ['boxed.jxl', start('0000000c 4a584c20 0d0a870a'), 'file image/jxl'],
  ['a.jp2', start('0000000c 6a502020 0d0a870a 00000014 66747970 6a703220'), 'file image/jp2'],
  ['a.bpg', start('425047fb 2000 0203'), 'file image/bpg'],
  ['a.dwg', start('41433130 3237 0000 0000'), 'file image/vnd.dwg'],
  ['a.icns', start('69636e73 00000100'), 'file image/icns'],
  ['a.xcf', start('67696d70207863662066696c6500'), 'file image/x-xcf'],
  ['a.jxr', start('4949bc01 08000000'), 'file image/vnd.ms-photo'],
  ['a.cr2', start('49492a00 10000000 4352 0200'), 'file image/x-canon-cr2'],
  ['a.raf', start('46554a4946494c4d4343442d52415720 30323031'), 'file image/x-fujifilm-raf'],
  ['a.orf', start('4949524f 08000000 1800'), 'file image/x-olympus-orf'],
  ['a.rw2', start('49495500 18000000 88e774d8'), 'file image/x-panasonic-rw2'],
  ['a.ppm', 'P3\n1 1\n255\n0 0 0\n', 'file image/x-portable-pixmap'],
  ['a.hdr', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n', 'file image/vnd.radiance'],
  ['a.exr', start('762f3101 02000000'), 'file image/x-exr'],
];

/** Images whose header promises pixels that their bytes cannot hold. */
async function bombs(): Promise<Row[]> {
  const jpeg = await noise(16, 16).jpeg({ progressive: true }).toBuffer();
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc2]));
  jpeg.writeUInt16BE(9000, frame + 5);
  jpeg.writeUInt16BE(9000, frame + 7);
  return [
    ['a.jpg', jpeg, null],
    ['a.png', pngOf(deflateSync(Buffer.alloc(1))), null],
    ['too-many-pixels.png', fixtureBytes('pixel-bomb.png'), null],
    ['a.gif', gifOf(Buffer.from([8, 2, 0x4c, 0x01, 0])), null],
    ['a.tiff', tiffOf({ compression: 1, stripBytes: 8 }), null],
  ];
}

function find(rows: readonly Row[], name: string): Buffer {
  const row = rows.find(([filename]) => filename === name);
  if (row === undefined) throw new Error(`no ${name}`);
  return row[1] as Buffer;
}
