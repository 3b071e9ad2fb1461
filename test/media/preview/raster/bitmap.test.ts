import { describe, expect, test } from 'vitest';
import { fixtureBytes } from '../../../support/bytes.ts';
import { createRandom } from '../../../support/random.ts';
import { drawBytes, expectReason, looksOf, pixelOf, QUADRANTS } from '../draw.ts';

const bytesOf = (name: string) => fixtureBytes(`preview/${name}`);
const draw = (name: string) => drawBytes(name, bytesOf(name));

describe('a BMP file', () => {
  test.each(['rgb.bmp', '565.bmp', 'palette.bmp', 'runs.bmp'])(
    'such as %s is drawn',
    async (name) => {
      expect(await looksOf(await draw(name))).toBe(`40 × 30: ${QUADRANTS}`);
    },
  );

  test('with an alpha channel is transparent', async () => {
    const [red, , , alpha] = await pixelOf(await draw('alpha.bmp'), 5, 5);
    expect(red).toBeGreaterThan(240);
    expect(alpha).toBeGreaterThan(120);
    expect(alpha).toBeLessThan(136);
  });

  test('whose rows begin at the top is not upside down', async () => {
    const bytes = bytesOf('rgb.bmp');
    bytes.writeInt32LE(-30, 22);
    expect(await looksOf(await drawBytes('a.bmp', bytes))).toBe(
      '40 × 30: blue white red lime blue',
    );
  });

  test('of OS/2, with its short header, is drawn', async () => {
    const info = bytesOf('rgb.bmp');
    const core = Buffer.alloc(12);
    core.writeUInt32LE(12, 0);
    for (const [at, value] of [40, 30, 1, 24].entries()) core.writeUInt16LE(value, 4 + 2 * at);
    const bytes = Buffer.concat([info.subarray(0, 14), core, info.subarray(54)]);
    bytes.writeUInt32LE(26, 10);
    expect(await looksOf(await drawBytes('a.bmp', bytes))).toBe(`40 × 30: ${QUADRANTS}`);
  });

  test('is made smaller while it is read', async () => {
    const preview = await drawBytes('a.bmp', bytesOf('rgb.bmp'), { sideMax: 10 });
    expect(await looksOf(preview)).toMatch(/^10 × 8: red/);
  });

  test('of 4-bit runs and of 1 bit is drawn', async () => {
    expect(await looksOf(await drawBytes('a.bmp', fourBitRuns()))).toBe(
      '8 × 8: red red red red red',
    );
    expect(await looksOf(await drawBytes('a.bmp', oneBit()))).toBe(
      '32 × 8: white black white black white',
    );
  });
});

describe('a hostile BMP file', () => {
  test('that promises more pixels than are allowed is refused', async () => {
    const bytes = bytesOf('rgb.bmp');
    bytes.writeInt32LE(30_000, 18);
    bytes.writeInt32LE(30_000, 22);
    await expect(drawBytes('a.bmp', bytes)).rejects.toThrow('more than 100000000 pixels');
  });

  test('that promises more pixels than it has is damaged', async () => {
    const bytes = bytesOf('rgb.bmp');
    bytes.writeInt32LE(9000, 18);
    bytes.writeInt32LE(9000, 22);
    await expect(drawBytes('a.bmp', bytes)).rejects.toThrow('damaged');
  });

  test.each([
    ...['rgb.bmp', '565.bmp', 'palette.bmp', 'runs.bmp', 'alpha.bmp'],
    ...['icon.ico', 'palette.ico', 'cursor.cur'],
    ...['rgb.psd', 'deep.psd', 'cmyk.psd', 'palette.psd', 'plain.psd', 'large.psb'],
  ])('or a damaged %s is drawn, or refused with a reason', async (name) => {
    const random = createRandom(16);
    for (let count = 0; count < 40; count++) {
      const bytes = bytesOf(name);
      // The head stays, so that the file keeps its type.
      for (let flips = 0; flips <= count; flips++)
        bytes[6 + random(bytes.length - 6)] = random(256);
      const cut = bytes.subarray(0, count % 2 === 0 ? bytes.length : 6 + random(bytes.length));
      await drawBytes(name, cut, { mimeType: TYPES[name.slice(-3)] ?? '' }).catch(expectReason);
    }
  });
});

const TYPES: Readonly<Record<string, string>> = {
  ...{ bmp: 'image/bmp', ico: 'image/x-icon', cur: 'image/x-icon' },
  ...{ psd: 'image/vnd.adobe.photoshop', psb: 'image/vnd.adobe.photoshop' },
};

interface Bitmap {
  width: number;
  bits: number;
  compression: number;
  colors: readonly (readonly [number, number, number])[];
  pixels: Buffer;
}

/** Returns a bitmap that is 8 pixels high. */
function bitmap({ width, bits, compression, colors, pixels }: Bitmap): Buffer {
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(54 + colors.length * 4, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(8, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(compression, 30);
  head.writeUInt32LE(colors.length, 46);
  const palette = colors.flatMap(([red, green, blue]) => [blue, green, red, 0]);
  return Buffer.concat([head, Buffer.from(palette), pixels]);
}

/** Returns eight rows of red: as a run, and as single pixels. */
function fourBitRuns(): Buffer {
  const row = [4, 0x11, 0, 4, 0x11, 0x11, 0, 0];
  const pixels = Buffer.from([...Array<number[]>(8).fill(row).flat(), 0, 1]);
  const colors = [[0, 0, 255] as const, [255, 0, 0] as const];
  return bitmap({ width: 8, bits: 4, compression: 2, colors, pixels });
}

/** Returns a bitmap whose left half is white. */
function oneBit(): Buffer {
  const row = [0xff, 0xff, 0, 0];
  const pixels = Buffer.from(Array<number[]>(8).fill(row).flat());
  const colors = [[0, 0, 0] as const, [255, 255, 255] as const];
  return bitmap({ width: 32, bits: 1, compression: 0, colors, pixels });
}
