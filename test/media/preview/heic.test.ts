import { expect, test } from 'vitest';
import { fixtureBytes } from '../../support/bytes.ts';
import { shadesOf } from '../../support/image.ts';
import { expectRefused, withPreviewer } from './bounds.ts';

const HEIC = 'image/heic';

test('a photo of a phone is shown upright and in its own colors', () =>
  withPreviewer(async (draw) => {
    const preview = await draw(fixtureBytes('phone.heic'), HEIC);
    // Turned by its property `irot`. In the space Display P3, these colors have other numbers.
    expect(preview).toMatchObject({ width: 64, height: 96 });
    expect(await shadesOf(preview.bytes)).toBe('blue red yellow lime blue');
  }));

test('an image is scaled down', () =>
  withPreviewer(
    async (draw) => {
      const preview = await draw(fixtureBytes('phone.heic'), HEIC);
      expect(preview).toMatchObject({ width: 32, height: 48 });
    },
    { sideMax: 48 },
  ));

test.each([0.3, 0.8, 0.95])('a file cut after %d of its bytes is refused', (part) =>
  withPreviewer(async (draw) => {
    const bytes = fixtureBytes('phone.heic');
    await expectRefused(draw, bytes.subarray(0, bytes.length * part), HEIC, /damaged/);
  }),
);

test('an image of absurd dimensions is refused', () =>
  withPreviewer(async (draw) => {
    await expectRefused(draw, withSize(2 ** 31 - 1, 2 ** 31 - 1), HEIC);
    await expectRefused(draw, withSize(60_000, 60_000), HEIC);
    await expectRefused(draw, withSize(0, 64), HEIC);
  }));

test('an image of more pixels than the server accepts is refused', () =>
  withPreviewer(
    (draw) => expectRefused(draw, fixtureBytes('phone.heic'), HEIC, /more than 1000 pixels/),
    { pixelsMax: 1000 },
  ));

test('a file that says to be HEIC, and is not, is refused', () =>
  withPreviewer(async (draw) => {
    await expectRefused(draw, fixtureBytes('picture.png'), HEIC);
    await expectRefused(draw, '', HEIC);
  }));

test('changes of single bytes of the header end within the bounds', () =>
  withPreviewer(async (draw) => {
    const whole = fixtureBytes('phone.heic');
    for (let at = 0; at < 180; at += 9) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0xff;
      await draw(bytes, HEIC).catch(() => undefined);
    }
    expect(await draw(whole, HEIC)).toHaveProperty('width', 64);
  }));

/** Returns the photo with another size in its property `ispe`. */
function withSize(width: number, height: number): Buffer {
  const bytes = fixtureBytes('phone.heic');
  const at = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(width, at);
  bytes.writeUInt32BE(height, at + 4);
  return bytes;
}
