import sharp from 'sharp';
import { describe, expect, it, test } from 'vitest';
import { fixtureBytes } from '../../support/bytes.ts';
import { detailsOf } from '../file/details-source.ts';
import { differences, image, secretsIn, stripped, tagsOf } from './located.ts';

const FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const;

/** Tags that are a place. */
const PLACE = /gps|city|country|location/i;

/** A directory has at least one entry. The version tells nothing. */
const LEFT = ['GPS Info IFD Pointer', 'GPSVersionID'];

/** The bytes of XMP in TIFF, and what fills the place of a shorter chunk in PNG. */
const CONTAINERS = ['ApplicationNotes', 'Comment'];

function isKept([name]: [string, string]): boolean {
  return !PLACE.test(name) && !CONTAINERS.includes(name);
}

describe.each(FORMATS)('location in %s', (format) => {
  it('is removed, and everything else stays', async () => {
    const before = await image(format);
    const after = await stripped(before);
    expect(secretsIn(before).length).toBeGreaterThan(1);
    expect(secretsIn(after)).toEqual([]);
    expect(after.length).toBe(before.length);
    const kept = Object.entries(tagsOf(before)).filter(isKept);
    expect(kept.length).toBeGreaterThan(10);
    expect(Object.entries(tagsOf(after)).filter(isKept)).toEqual(kept);
    const left = Object.keys(tagsOf(after)).filter((name) => PLACE.test(name));
    // sharp writes the place into a TIFF as XMP only.
    expect(left).toEqual(format === 'tiff' ? [] : LEFT);
    expect(await sharp(after).raw().toBuffer()).toEqual(await sharp(before).raw().toBuffer());
    expect(await stripped(after)).toEqual(after);
  });

  it('is nothing in an image without one, of which no byte changes', async () => {
    const background = { r: 1, g: 2, b: 3 };
    const bytes = await sharp({ create: { width: 9, height: 9, channels: 3, background } })
      .withExif({ IFD0: { Artist: 'Ann' } })
      .toFormat(format)
      .toBuffer();
    expect(differences(bytes, await stripped(bytes))).toBe(0);
  });
});

describe('location in a real file', () => {
  test.each([
    ...['photo-with-details.jpg', 'photo-with-details.tiff', 'photo-with-details.webp'],
    ...['phone.mov', 'phone-android.mov'],
  ])('of %s is removed, and its other details stay', async (name) => {
    const before = fixtureBytes(name);
    const after = await stripped(before);
    const { latitude, longitude, altitudeM, ...kept } = await detailsOf(name, before);
    expect([typeof latitude, typeof longitude]).toEqual(['number', 'number']);
    expect(await detailsOf(name, after)).toEqual(kept);
    expect(after.length).toBe(before.length);
    expect(differences(before, after)).toBeLessThan(160);
  });

  test.each([
    ...['picture.png', 'picture.webp', 'picture.avif', 'picture.heic', 'animation.gif'],
    ...['clip.mp4', 'clip.webm', 'sound.mp3', 'document.pdf', 'truncated.jpg', 'crc-broken.png'],
  ])('of %s is none', async (name) => {
    const bytes = fixtureBytes(name);
    expect(differences(bytes, await stripped(bytes))).toBe(0);
  });
});
