import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it, test } from 'vitest';
import { fixtureBytes } from '../../support/bytes.ts';
import { createRandom } from '../../support/random.ts';
import { differences, image, secretsIn, segment, stripped, withSegments, XMP } from './located.ts';

const plain = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#468' } })
  .jpeg()
  .toBuffer();
const located = await image('jpeg');

/** The segment of EXIF of a located image. */
const exif = segmentOf(located, 'Exif\0');

function segmentOf(jpeg: Buffer, signature: string): Buffer {
  const at = jpeg.indexOf(signature) - 4;
  return jpeg.subarray(at, at + 2 + jpeg.readUInt16BE(at + 2));
}

function dataset(id: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x1c, 2, id, 0, bytes.length]), bytes]);
}

function resource(id: number, data: Buffer): Buffer {
  const head = Buffer.from('8BIM\0\0\0\0\0\0\0\0', 'latin1');
  head.writeUInt16BE(id, 4);
  head.writeUInt32BE(data.length, 8);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

const iptc = Buffer.concat([
  dataset(80, 'Ann'),
  dataset(90, 'Zermattville'),
  dataset(101, 'Matterland'),
  dataset(116, 'Copyright'),
  dataset(92, 'Hörnliweg'),
]);

function extension(position: number, text: Buffer): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(position, 4);
  const guid = 'A'.repeat(32);
  return segment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', guid, numbers, text);
}

/** A packet that is cut in the middle of a name of a place. */
const cut = XMP.indexOf('Zermattville') + 4;
const packet = Buffer.from(XMP);

const PLACES: Readonly<Record<string, Buffer>> = {
  'a second block of EXIF': withSegments(located, exif),
  'EXIF after the pixels': Buffer.concat([plain, exif]),
  'EXIF of the thumbnail in EXIF': withSegments(
    plain,
    segment(
      0xe1,
      'Exif\0\0',
      Buffer.from('49492a00080000000000000000000000', 'hex'),
      located.subarray(0, 4000),
    ),
  ),
  'a second image, as of MPF': Buffer.concat([plain, located]),
  'the datasets of IPTC': withSegments(
    plain,
    segment(0xed, 'Photoshop 3.0\0', resource(0x0404, iptc)),
  ),
  'the datasets of IPTC in two segments': withSegments(
    plain,
    segment(0xed, 'Photoshop 3.0\0', resource(0x0404, iptc).subarray(0, 30)),
    segment(0xed, 'Photoshop 3.0\0', resource(0x0404, iptc).subarray(30)),
  ),
  'extended XMP in two segments, in the wrong order': withSegments(
    plain,
    extension(cut, packet.subarray(cut)),
    extension(0, packet.subarray(0, cut)),
  ),
  'a video behind the photo': Buffer.concat([
    plain,
    Buffer.from('MotionPhoto_Data'),
    Buffer.from(fixtureBytes('phone.mov')),
  ]),
};

describe('location in a JPEG', () => {
  test.each(Object.entries(PLACES))('in %s is removed', async (_name, before) => {
    const after = await stripped(before);
    expect([...secretsIn(before), ...videoPlace(before)].length).toBeGreaterThan(0);
    expect([secretsIn(after), videoPlace(after)]).toEqual([[], []]);
    expect(after.length).toBe(before.length);
    expect(await pixels(after)).toEqual(await pixels(before));
    expect(await stripped(after)).toEqual(after);
  });

  it('leaves the other datasets of IPTC', async () => {
    const before = PLACES['the datasets of IPTC']!;
    const after = await stripped(before);
    expect([after.includes('Ann'), after.includes('Copyright')]).toEqual([true, true]);
    expect(differences(before, after)).toBe('ZermattvilleMatterlandHörnliweg'.length + 1);
  });
});

function videoPlace(bytes: Buffer): string[] {
  return bytes.includes('+52.5200') ? ['ISO 6709'] : [];
}

function pixels(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes, { failOn: 'none' }).raw().toBuffer();
}

describe('metadata that cannot be understood', () => {
  test.each([
    ['with a byte order that is none', (block: Buffer) => block.write('XX', 10, 'latin1')],
    ['that is cut off', (block: Buffer) => block.writeUInt16BE(block.length - 60, 2)],
    ['with a pointer behind its end', (block: Buffer) => block.writeUInt32LE(60_000, 14)],
    ['with a directory of too many entries', (block: Buffer) => block.writeUInt16LE(40_000, 18)],
  ])('a block of EXIF %s is removed whole', async (_name, damage) => {
    const block = Buffer.from(exif);
    damage(block);
    const before = withSegments(plain, block.subarray(0, 2 + block.readUInt16BE(2)));
    const after = await stripped(before);
    expect(secretsIn(after)).toEqual([]);
    expect(await pixels(after)).toEqual(await pixels(before));
  });

  test.each([
    ['an element that is never closed', XMP.replace('</photoshop:Country>', '')],
    ['a tag that never ends', XMP.slice(0, XMP.indexOf('</photoshop:Country') + 5)],
    ['UTF-16', Buffer.from(XMP, 'utf16le').toString('latin1')],
  ])('a packet of XMP with %s is removed whole', async (_name, text) => {
    const before = withSegments(plain, segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', text));
    const after = await stripped(before);
    expect(after.includes('G\0P\0S\0L') || after.includes('GPSLat')).toBe(false);
    expect(secretsIn(after)).toEqual([]);
  });

  it('is nothing that fails, whichever bytes are changed', async () => {
    const random = createRandom(7);
    const sources = [located, await image('png'), await image('webp'), await image('avif')];
    for (const bytes of [...sources, await image('tiff'), Buffer.from(fixtureBytes('phone.mov'))]) {
      for (let round = 0; round < 60; round++) {
        const damaged = Buffer.from(bytes);
        for (let count = 0; count < 1 + round / 4; count++) {
          damaged[random(damaged.length)] = random(256);
        }
        const end = round % 3 === 0 ? random(damaged.length) : damaged.length;
        const before = damaged.subarray(0, end);
        expect((await stripped(before)).length).toBe(before.length);
      }
    }
  });

  it('is removed up to the end where segments are too many to be read', async () => {
    const many = Array.from({ length: 2100 }, () => segment(0xe1, 'Exif\0\0'));
    const after = await stripped(withSegments(plain, ...many, exif));
    expect(secretsIn(after)).toEqual([]);
  });
});

describe('location in text of a PNG', () => {
  const block = exif.subarray(4);
  const profile = `\nexif\n    ${block.length}\n${block.toString('hex').replace(/.{72}/g, '$&\n')}\n`;
  const profileOf = (name: string, bytes: Buffer) =>
    Buffer.concat([
      Buffer.from(`Raw profile type ${name}\0\0`),
      deflateSync(`\n${name} profile\n  ${bytes.length}\n${bytes.toString('hex')}\n`),
    ]);
  const xap = Buffer.from(`http://ns.adobe.com/xap/1.0/\0${XMP}`);
  const chunks: Readonly<Record<string, [type: string, data: Buffer]>> = {
    'EXIF as ExifTool writes it': ['zTXt', profileOf('APP1', block)],
    'XMP as ExifTool writes it': ['zTXt', profileOf('APP1', xap)],
    'IPTC as ExifTool writes it': ['zTXt', profileOf('iptc', resource(0x0404, iptc))],
    'bare IPTC': ['zTXt', profileOf('iptc', iptc)],
    'a profile that is none': [
      'zTXt',
      Buffer.concat([Buffer.from('Raw profile type APP1\0\0'), deflateSync(profile.slice(12))]),
    ],
    'a profile that is very long, and none': [
      'tEXt',
      Buffer.from(`Raw profile type APP1\0x${' '.repeat(4_000_000)}1 1 z Zermattville`),
    ],
    'compressed EXIF in a chunk of its own': [
      'zxIf',
      Buffer.concat([Buffer.alloc(5), deflateSync(block.subarray(6))]),
    ],
    'a profile in digits': ['tEXt', Buffer.from(`Raw profile type exif\0${profile}`)],
    'a compressed profile': [
      'zTXt',
      Buffer.concat([Buffer.from('Raw profile type exif\0\0'), deflateSync(profile)]),
    ],
    'compressed XMP': [
      'iTXt',
      Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0'), deflateSync(XMP)]),
    ],
    'XMP that cannot be unpacked': [
      'iTXt',
      Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0Zermattville'),
    ],
    'a keyword': ['tEXt', Buffer.from('exif:GPSLatitude\x0047.11123')],
  };

  test.each(Object.entries(chunks))('as %s is removed', async (_name, [type, data]) => {
    const before = withChunk(await sharp(plain).png().toBuffer(), type, data);
    const after = await stripped(before);
    expect(differences(before, after)).toBeGreaterThan(8);
    expect(after.includes(data)).toBe(false);
    expect(secretsIn(after)).toEqual([]);
    expect(after.includes(hexOf(7_654_321))).toBe(false);
    // libvips checks the checksums of chunks.
    const strict = sharp(after, { failOn: 'warning' }).raw().toBuffer();
    expect(await strict).toEqual(await pixels(before));
  });

  test.each([
    ['iptc', Buffer.concat([dataset(80, 'Ann'), dataset(116, 'Copyright')])],
    ['icc', Buffer.from('any bytes')],
  ])('is no reason to remove a profile without one: %s', async (name, bytes) => {
    const png = withChunk(await sharp(plain).png().toBuffer(), 'zTXt', profileOf(name, bytes));
    expect(await stripped(png)).toEqual(png);
  });
});

function hexOf(number: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes.toString('hex');
}

function withChunk(png: Buffer, type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  const end = png.length - 12;
  return Buffer.concat([png.subarray(0, end), head, data, Buffer.alloc(4), png.subarray(end)]);
}
