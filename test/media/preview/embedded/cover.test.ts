import { describe, expect, test } from 'vitest';
import { NoImageError } from '../../../../src/media/preview/decoder.ts';
import { fixtureBytes } from '../../../support/bytes.ts';
import { createRandom } from '../../../support/random.ts';
import { drawBytes, looksOf, QUADRANTS } from '../draw.ts';

const bytesOf = (name: string) => fixtureBytes(`preview/${name}`);

describe('a sound', () => {
  test.each(['cover.mp3', 'cover.m4a', 'cover.flac'])(
    'such as %s is drawn by its cover',
    async (name) => {
      expect(await looksOf(await drawBytes(name, bytesOf(name)))).toBe(`40 × 30: ${QUADRANTS}`);
    },
  );

  test.each(['sound.mp3', 'sound.ogg', 'sound.weba'])(
    'without a cover, such as %s, says so',
    async (name) => {
      await expect(drawBytes(name, fixtureBytes(name))).rejects.toThrow(NoImageError);
    },
  );

  test('whose cover is an address is not fetched', async () => {
    const address = Buffer.from('http://127.0.0.1:9/cover.jpg');
    const frame = Buffer.concat([Buffer.from('\0-->\0\x03\0', 'latin1'), address]);
    const bytes = Buffer.concat([tagOf('APIC', frame), fixtureBytes('sound.mp3')]);
    await expect(drawBytes('a.mp3', bytes)).rejects.toThrow(NoImageError);
  });

  test('whose tag claims a cover of 200 MB is refused before it is read', async () => {
    const bytes = Buffer.concat([
      tagOf('APIC', Buffer.alloc(16), 200_000_000),
      Buffer.alloc(210_000_000),
    ]);
    await expect(drawBytes('a.mp3', bytes)).rejects.toThrow();
  });

  test('that is damaged is drawn, or fails without harm to the next one', async () => {
    const random = createRandom(16);
    for (const name of ['cover.mp3', 'cover.m4a', 'cover.flac']) {
      for (let count = 0; count < 20; count++) {
        const bytes = bytesOf(name);
        for (let flips = 0; flips < 3; flips++) bytes[12 + random(900)] = random(256);
        await drawBytes(name, bytes, { mimeType: 'audio/mpeg' }).catch(() => null);
      }
      expect(await looksOf(await drawBytes(name, bytesOf(name)))).toBe(`40 × 30: ${QUADRANTS}`);
    }
  });
});

/** Returns an ID3v2.3 tag with one frame, which claims to have `sizeBytes`. */
function tagOf(id: string, content: Buffer, sizeBytes = content.length): Buffer {
  const frame = Buffer.alloc(10);
  frame.write(id);
  frame.writeUInt32BE(sizeBytes, 4);
  const head = Buffer.from('ID3\x03\0\0', 'latin1');
  const total = sizeBytes + 10;
  const size = [21, 14, 7, 0].map((shift) => (total >> shift) & 127);
  return Buffer.concat([head, Buffer.from(size), frame, content]);
}
