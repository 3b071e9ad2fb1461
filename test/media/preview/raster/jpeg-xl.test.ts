import { describe, expect, test } from 'vitest';
import { fixtureBytes } from '../../../support/bytes.ts';
import { createRandom } from '../../../support/random.ts';
import { drawBytes, looksOf, QUADRANTS } from '../draw.ts';

const bytesOf = (name: string) => fixtureBytes(`preview/${name}`);

describe('a JPEG XL', () => {
  test.each(['photo.jxl', 'from-jpeg.jxl'])('such as %s is drawn', async (name) => {
    expect(await looksOf(await drawBytes(name, bytesOf(name)))).toBe(`40 × 30: ${QUADRANTS}`);
  });

  test('with more pixels than are allowed is refused before it is decoded', async () => {
    await expect(drawBytes('a.jxl', bytesOf('photo.jxl'), { pixelsMax: 1199 })).rejects.toThrow(
      'more than 1199 pixels',
    );
    await expect(
      drawBytes('a.jxl', bytesOf('photo.jxl'), { memoryBytesMax: 4000 }),
    ).rejects.toThrow('too much memory');
  });

  test('that is cut off or damaged is drawn, or fails without harm to the next one', async () => {
    const random = createRandom(16);
    for (let count = 0; count < 30; count++) {
      const bytes = bytesOf('photo.jxl');
      for (let flips = 0; flips < count % 4; flips++)
        bytes[12 + random(bytes.length - 12)] = random(256);
      const cut = bytes.subarray(0, 12 + random(bytes.length - 12));
      await drawBytes('a.jxl', cut, { mimeType: 'image/jxl', pixelsMax: 10_000 }).catch(() => null);
    }
    const preview = await drawBytes('a.jxl', bytesOf('photo.jxl'));
    expect(await looksOf(preview)).toBe(`40 × 30: ${QUADRANTS}`);
  });
});
