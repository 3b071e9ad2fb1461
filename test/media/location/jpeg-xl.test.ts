import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { expect, it, test } from 'vitest';
import { fixtureBytes } from '../../support/bytes.ts';
import { drawBytes, looksOf, QUADRANTS } from '../preview/draw.ts';
import { image, secretsIn, segment, stripped, XMP } from './located.ts';

const plain = Buffer.from(fixtureBytes('preview/from-jpeg.jxl'));

const located = await image('jpeg');
const exifAt = located.indexOf('Exif\0');
const exif = Buffer.concat([
  Buffer.alloc(4),
  located.subarray(exifAt + 6, exifAt - 2 + located.readUInt16BE(exifAt - 2)),
]);

function box(type: string, ...parts: Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type), ...parts]);
  bytes.writeUInt32BE(bytes.length, 0);
  return bytes;
}

function compressed(type: string, content: Buffer): Buffer {
  return box('brob', Buffer.from(type), brotliCompressSync(content));
}

/** Returns the content of the compressed boxes that are left, by the types inside. */
function compressedIn(bytes: Buffer): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at) || bytes.length) {
    if (bytes.toString('latin1', at + 4, at + 8) !== 'brob') continue;
    const content = bytes.subarray(at + 12, at + bytes.readUInt32BE(at));
    found[bytes.toString('latin1', at + 8, at + 12)] = brotliDecompressSync(content);
  }
  return found;
}

test('the location in compressed boxes of a JPEG XL is removed, and their other metadata stay', async () => {
  const before = Buffer.concat([
    plain,
    compressed('Exif', exif),
    compressed('xml ', Buffer.from(XMP)),
  ]);
  const after = await stripped(before);
  const found = compressedIn(after);
  expect(Object.keys(found)).toEqual(['Exif', 'xml ']);
  expect(Object.values(found).flatMap(secretsIn)).toEqual([]);
  expect(found.Exif!.includes('Lens 50')).toBe(true);
  expect(found['xml ']!.includes('<dc:creator>')).toBe(true);
  expect(after.length).toBe(before.length);
  expect(await stripped(after)).toEqual(after);
});

it('goes with the metadata of the JPEG that a JPEG XL was, and the image stays', async () => {
  const jbrd = box('jbrd', Buffer.from('\0bits and '), segment(0xed, 'Zermattville'));
  const before = Buffer.concat([plain, jbrd]);
  const after = await stripped(before);
  expect([secretsIn(after), after.includes('jbrd')]).toEqual([[], false]);
  expect(after.length).toBe(before.length);
  expect(await looksOf(await drawBytes('a.jxl', after))).toBe(`40 × 30: ${QUADRANTS}`);
});

test.each([
  ['that cannot be unpacked', compressedBomb()],
  ['after those of a bomb', Buffer.concat([compressedBomb(), compressed('Exif', exif)])],
  ['that are no Brotli', box('brob', Buffer.from('xml Zermattville'))],
])('metadata %s are removed whole', async (_name, bytes) => {
  const after = await stripped(Buffer.concat([plain, bytes]));
  expect([compressedIn(after), secretsIn(after)]).toEqual([{}, []]);
});

function compressedBomb(): Buffer {
  return compressed('xml ', Buffer.alloc(8 * 1024 * 1024, ' '));
}
