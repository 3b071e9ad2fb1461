import { describe, expect, test } from 'vitest';
import { fixtureBytes } from '../../../support/bytes.ts';
import { quadrants } from '../../../support/image.ts';
import { drawBytes, looksOf, QUADRANTS } from '../draw.ts';

const bytesOf = (name: string) => fixtureBytes(`preview/${name}`);

describe('a Photoshop document', () => {
  test.each(['rgb.psd', 'plain.psd', 'deep.psd', 'cmyk.psd', 'palette.psd', 'large.psb'])(
    'such as %s is drawn by its flattened image',
    async (name) => {
      expect(await looksOf(await drawBytes(name, bytesOf(name)))).toBe(`40 × 30: ${QUADRANTS}`);
    },
  );

  test('is made smaller while it is read', async () => {
    const preview = await drawBytes('a.psd', bytesOf('rgb.psd'), { sideMax: 10 });
    expect(await looksOf(preview)).toMatch(/^10 × 8: red/);
  });

  test('saved without a flattened image is drawn by its thumbnail', async () => {
    const thumbnail = await quadrants(16, 12).jpeg({ quality: 100 }).toBuffer();
    const document = withResources([
      [1057, Buffer.from([0, 0, 0, 1, 0, 0])],
      [1036, Buffer.concat([Buffer.from('00000001'.padEnd(56, '0'), 'hex'), thumbnail])],
    ]);
    const preview = await drawBytes('a.psd', document);
    expect(await looksOf(preview)).toMatch(/^16 × 12: red lime blue yellow/);
  });

  test('with neither says so', async () => {
    const document = withResources([[1057, Buffer.from([0, 0, 0, 1, 0, 0])]]);
    await expect(drawBytes('a.psd', document)).rejects.toThrow('a variant of its format');
  });

  test('with more pixels than are allowed is refused', async () => {
    const bytes = bytesOf('rgb.psd');
    bytes.writeUInt32BE(30_000, 14);
    bytes.writeUInt32BE(30_000, 18);
    await expect(drawBytes('a.psd', bytes)).rejects.toThrow('more than 100000000 pixels');
  });

  test('that promises more pixels than it has is damaged', async () => {
    for (const name of ['rgb.psd', 'plain.psd']) {
      const bytes = bytesOf(name);
      bytes.writeUInt32BE(9000, 14);
      bytes.writeUInt32BE(9000, 18);
      await expect(drawBytes('a.psd', bytes)).rejects.toThrow('damaged');
    }
  });
});

/** Returns a document with these image resources in place of its own. */
function withResources(resources: readonly (readonly [id: number, data: Buffer])[]): Buffer {
  const document = bytesOf('rgb.psd');
  // An RGB document has no colors of its own.
  const at = 26 + 4;
  const rest = document.subarray(at + 4 + document.readUInt32BE(at));
  const parts = resources.map(([id, data]) => {
    const head = Buffer.alloc(12);
    head.write('8BIM');
    head.writeUInt16BE(id, 4);
    head.writeUInt32BE(data.length, 8);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  });
  const section = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(section.length);
  return Buffer.concat([document.subarray(0, at), length, section, rest]);
}
