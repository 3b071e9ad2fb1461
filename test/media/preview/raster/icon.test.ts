import { describe, expect, test } from 'vitest';
import { fixtureBytes } from '../../../support/bytes.ts';
import { drawBytes, looksOf, pixelOf, QUADRANTS } from '../draw.ts';

const bytesOf = (name: string) => fixtureBytes(`preview/${name}`);

describe('an icon', () => {
  test.each([
    ['icon.ico', '32 × 32'],
    ['cursor.cur', '32 × 32'],
    ['palette.ico', '48 × 48'],
    ['large.ico', '256 × 256'],
  ])('such as %s is drawn by its largest image', async (name, size) => {
    const preview = await drawBytes(name, bytesOf(name));
    expect(`${preview.width} × ${preview.height}`).toBe(size);
    const colors = await Promise.all(
      [
        [0.4, 0.4],
        [0.6, 0.4],
        [0.4, 0.6],
        [0.6, 0.6],
      ].map(async ([x = 0, y = 0]) =>
        pixelOf(preview, Math.floor(x * preview.width), Math.floor(y * preview.height)),
      ),
    );
    const wanted = QUADRANTS.split(' ')
      .slice(0, 4)
      .map((shade) => RGB[shade]);
    expect(
      colors.map(([r = 0, g = 0, b = 0]) => [r, g, b].map((part) => (part > 127 ? 1 : 0))),
    ).toEqual(wanted);
  });

  test('hides what its mask hides', async () => {
    const bytes = bytesOf('palette.ico');
    // The mask is at the end, six bytes and two of padding for each of 48 rows. The last row is the top one.
    bytes.fill(0xff, bytes.length - 8);
    const preview = await drawBytes('a.ico', bytes);
    expect((await pixelOf(preview, 10, 0))[3]).toBe(0);
    expect((await pixelOf(preview, 10, 5))[3]).toBe(255);
  });

  test('whose largest image is cut off is drawn by the next one', async () => {
    const bytes = bytesOf('icon.ico');
    bytes.writeUInt32LE(bytes.length, 6 + 12);
    expect(await looksOf(await drawBytes('a.ico', bytes))).toMatch(/^16 × 16/);
  });

  test('without images is damaged', async () => {
    const bytes = Buffer.from(bytesOf('icon.ico'));
    bytes.writeUInt16LE(0, 4);
    await expect(drawBytes('a.ico', bytes, { mimeType: 'image/x-icon' })).rejects.toThrow(
      'damaged',
    );
  });
});

const RGB: Readonly<Record<string, number[]>> = {
  ...{ red: [1, 0, 0], lime: [0, 1, 0], blue: [0, 0, 1], white: [1, 1, 1] },
};
