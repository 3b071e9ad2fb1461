import { describe, expect, test } from 'vitest';
import { NoImageError } from '../../../../src/media/preview/decoder.ts';
import { quadrants } from '../../../support/image.ts';
import { createRandom } from '../../../support/random.ts';
import { drawBytes, expectReason, looksOf } from '../draw.ts';
import { canonRaw, fujifilmRaw, rawFile } from './raw-file.ts';

const jpegOf = (width: number, height: number) =>
  quadrants(width, height).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
const SMALL = await jpegOf(16, 12);
const LARGE = await jpegOf(64, 48);
const UPRIGHT = '64 × 48: red lime blue yellow red';
/** Stored on its side: what is left becomes what is above. */
const TURNED = '48 × 64: blue red yellow lime blue';

describe('a raw file of a camera', () => {
  test('is drawn by the largest JPEG in it, wherever that is', async () => {
    const files = {
      'a.nef': rawFile([{ parts: [], inner: [{ parts: [{ bytes: LARGE, as: 'jpeg' }] }] }]),
      'a.arw': rawFile([
        { parts: [{ bytes: SMALL, as: 'jpeg' }] },
        { parts: [{ bytes: LARGE, as: 'jpeg' }] },
      ]),
      'a.dng': rawFile([
        {
          parts: [{ bytes: SMALL, as: 'strip' }],
          inner: [{ parts: [{ bytes: LARGE, as: 'strip' }] }],
        },
      ]),
      'a.pef': rawFile([
        { parts: [{ bytes: LARGE, as: 'strip' }] },
        { parts: [{ bytes: SMALL, as: 'jpeg' }] },
      ]),
    };
    for (const [name, bytes] of Object.entries(files)) {
      expect(await looksOf(await drawBytes(name, bytes)), name).toBe(UPRIGHT);
    }
  });

  test('of Canon, Fujifilm or Panasonic, whose formats are their own, is drawn', async () => {
    const panasonic = rawFile([{ parts: [{ bytes: LARGE, as: 'panasonic' }] }], 'IIU\0');
    const files = {
      'image/x-canon-cr2': rawFile([{ parts: [{ bytes: LARGE, as: 'strip' }] }]),
      'image/x-canon-cr3': canonRaw(LARGE, 1),
      'image/x-fujifilm-raf': fujifilmRaw(LARGE),
      'image/x-panasonic-rw2': panasonic,
    };
    for (const [mimeType, bytes] of Object.entries(files)) {
      const preview = await drawBytes('a', bytes, { mimeType });
      expect(await looksOf(preview), mimeType).toBe(UPRIGHT);
    }
  });

  test('is turned as its photo, unless the JPEG in it says itself how', async () => {
    const turned = rawFile([{ parts: [{ bytes: LARGE, as: 'jpeg' }], orientation: 6 }]);
    expect(await looksOf(await drawBytes('a.nef', turned))).toBe(TURNED);
    const canon = canonRaw(LARGE, 6);
    const preview = await drawBytes('a', canon, { mimeType: 'image/x-canon-cr3' });
    expect(await looksOf(preview)).toBe(TURNED);
    const itself = await quadrants(64, 48).jpeg().withMetadata({ orientation: 1 }).toBuffer();
    const file = rawFile([{ parts: [{ bytes: itself, as: 'jpeg' }], orientation: 6 }]);
    expect(await looksOf(await drawBytes('a.nef', file))).toBe(UPRIGHT);
  });

  test('is drawn as it is stored if its orientation is out of range', async () => {
    const file = rawFile([{ parts: [{ bytes: LARGE, as: 'jpeg' }], orientation: 300 }]);
    expect(await looksOf(await drawBytes('a.nef', file))).toBe(UPRIGHT);
  });

  test('is not drawn by the pixels of its sensor, which are a lossless JPEG', async () => {
    const sensor = Buffer.from(await jpegOf(640, 480));
    sensor[sensor.indexOf(Buffer.from('ffc0', 'hex')) + 1] = 0xc3;
    const file = rawFile([
      { parts: [{ bytes: sensor, as: 'strip' }] },
      { parts: [{ bytes: LARGE, as: 'jpeg' }] },
    ]);
    expect(await looksOf(await drawBytes('a.nef', file))).toBe(UPRIGHT);
  });

  test('without a JPEG says so', async () => {
    const empty = rawFile([{ parts: [] }]);
    await expect(drawBytes('a.nef', empty)).rejects.toThrow(NoImageError);
  });

  test('whose directories form a loop, or that is damaged, has an end', async () => {
    const loop = rawFile([{ parts: [] }]);
    loop.writeUInt32LE(HEADER_BYTES, loop.length - 4);
    await expect(drawBytes('a.nef', loop)).rejects.toThrow(NoImageError);
    const random = createRandom(16);
    const good = [
      rawFile([
        {
          parts: [{ bytes: LARGE, as: 'jpeg' }],
          inner: [{ parts: [{ bytes: SMALL, as: 'strip' }] }],
        },
      ]),
      canonRaw(LARGE, 6),
      fujifilmRaw(LARGE),
    ];
    for (let count = 0; count < 150; count++) {
      const bytes = Buffer.from(good[count % 3] ?? LARGE);
      // Within the structures, which are at both ends.
      for (let flips = 0; flips < 4; flips++) {
        bytes[flips % 2 === 0 ? 4 + random(200) : bytes.length - 1 - random(90)] = random(256);
      }
      await drawBytes('a', bytes, { mimeType: 'image/x-nikon-nef' }).catch(expectReason);
    }
  });
});

const HEADER_BYTES = 8;
