import { afterAll, describe, expect, test } from 'vitest';
import { detailsKindOf, type FileDetails } from '../../../src/media/file/details.ts';
import { readFileDetails } from '../../../src/media/file/read-details.ts';
import { createDetailsReader } from '../../../src/media/file/reader.ts';
import { sniffFile } from '../../../src/media/sniff.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { createRandom } from '../../support/random.ts';
import { detailsOf, watchedSource } from './details-source.ts';

const AT = (text: string) => Date.parse(text);

/** What each fixture says of itself. */
const EXPECTED: Readonly<Record<string, FileDetails>> = {
  'photo-with-details.jpg': {
    takenAt: AT('2023-05-06T07:08:09.120+02:00'),
    ...{ camera: 'Canon EOS R5', lens: 'RF24-70mm F2.8 L IS USM' },
    ...{ exposure: '1/250 s, f/2.8', iso: 400 },
    ...{ latitude: 52.52, longitude: -13.4, altitudeM: 34.5 },
    ...{ author: 'Jörg', copyright: '© 2023 Jörg' },
  },
  // XMP alone.
  'photo-with-details.webp': {
    takenAt: AT('2015-06-07T08:09:10+05:30'),
    ...{ camera: 'Sony ILCE-7M3', lens: 'FE 35mm F1.8', exposure: '1/60 s, f/1.8', iso: 800 },
    ...{ latitude: -1.25, longitude: 100.5, altitudeM: 120 },
    ...{ author: 'Zoë', copyright: 'All rights' },
  },
  // A time without a zone, a place below the sea, and IPTC.
  'photo-with-details.tiff': {
    takenAt: AT('2022-12-31T23:30:00Z'),
    ...{ camera: 'Apple iPhone 14 Pro', exposure: '2.5 s' },
    ...{ latitude: -33.8568, longitude: 151.2153, altitudeM: -5 },
    ...{ author: 'Bob, Eve', copyright: 'IPTC' },
  },
  'phone.mov': {
    takenAt: AT('2021-03-04T05:06:07Z'),
    ...{ camera: 'Apple iPhone 12', author: 'Ann' },
    ...{ latitude: 52.52, longitude: 13.405, altitudeM: 34.5 },
    ...{ width: 16, height: 16 },
    ...{ durationMs: 400, frameRate: 25, videoCodec: 'h264', audioCodec: 'aac', bitRate: 59_860 },
  },
  'phone-android.mov': {
    takenAt: AT('2021-03-04T05:06:07Z'),
    ...{ latitude: 52.52, longitude: -13.405 },
    ...{ width: 16, height: 16 },
    ...{ durationMs: 400, frameRate: 25, videoCodec: 'h264', audioCodec: 'aac', bitRate: 51_540 },
  },
  'clip.mp4': {
    ...{ width: 16, height: 16 },
    ...{ durationMs: 400, frameRate: 5, videoCodec: 'h264', bitRate: 35_100 },
  },
  'clip.webm': {
    ...{ width: 16, height: 16 },
    ...{ durationMs: 400, frameRate: 5, videoCodec: 'vp8', bitRate: 18_300 },
  },
  'sound.mp3': { durationMs: 288, audioCodec: 'mp3', bitRate: 8000 },
  'sound.ogg': { durationMs: 100, audioCodec: 'vorbis', bitRate: 14_000 },
  'sound.weba': { durationMs: 108, audioCodec: 'opus', bitRate: 49_926 },
  'document-with-text.pdf': {
    ...{ pageCount: 2, author: 'Ann Author' },
    textSnippet: 'Annual report All numbers are up.',
  },
  'document.pdf': { pageCount: 1 },
  'picture.png': {},
  'picture.heic': {},
  'animation.gif': {},
};

describe('the details of a file', () => {
  test.each(Object.entries(EXPECTED))('of %s are read', async (name, expected) => {
    expect(await detailsOf(name)).toEqual(expected);
  });

  test('of most types are not read', () => {
    const none = ['text/plain', 'application/zip', 'image/svg+xml', 'text/html', 'image/bmp'];
    expect(none.map(detailsKindOf)).toEqual(none.map(() => null));
  });

  test('of a file of another type than its own are empty', async () => {
    for (const kind of ['image', 'audio', 'video', 'pdf'] as const) {
      const { source } = watchedSource(fixtureBytes('note.txt'));
      expect(await readFileDetails(source, kind)).toEqual({});
    }
  });

  test('need few reads, and the beginning of a large photo', async () => {
    const photo = fixtureBytes('photo-with-details.jpg');
    const large = watchedSource(Buffer.concat([photo, Buffer.alloc(50_000_000)]));
    expect(await readFileDetails(large.source, 'image')).toEqual(
      EXPECTED['photo-with-details.jpg'],
    );
    expect(large.read.bytes).toBeLessThanOrEqual(1024 * 1024);
    const video = watchedSource(fixtureBytes('phone.mov'));
    await readFileDetails(video.source, 'video');
    expect(video.read.times).toBeLessThan(20);
  });
});

// In a process with limits: one of these files makes a parser need 4 GiB.
describe('a file that is cut off or damaged', () => {
  const random = createRandom(20_261_130);
  const reader = createDetailsReader({ timeoutMs: 1000, heapMiB: 64 });
  afterAll(reader.stop);

  test.each(Object.keys(EXPECTED))('such as %s, has plausible details', async (name) => {
    const bytes = fixtureBytes(name);
    const kind = detailsKindOf((await sniffFile(bytes, { filename: name })).mimeType) ?? 'image';
    for (let count = 0; count < 9; count++) {
      const broken = Buffer.from(
        bytes.subarray(0, count % 3 === 0 ? random(bytes.length) : undefined),
      );
      for (let flips = 0; flips < 1 + count; flips++) {
        if (broken.length > 0) broken[random(broken.length)] = random(256);
      }
      expectPlausible(await reader.read(watchedSource(broken).source, kind));
    }
  });
});

function expectPlausible({
  durationMs,
  latitude = 0,
  longitude = 0,
  ...others
}: FileDetails): void {
  for (const value of [durationMs, others.iso, others.bitRate, others.pageCount]) {
    if (value === undefined) continue;
    expect(Number.isInteger(value) && value > 0 && value < 2 ** 31).toBe(true);
  }
  expect(Math.abs(latitude)).toBeLessThanOrEqual(90);
  expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
  for (const value of Object.values(others)) {
    if (typeof value === 'string') expect(value.trim()).not.toBe('');
  }
  if (others.takenAt !== undefined)
    expect(() => new Date(others.takenAt!).toISOString()).not.toThrow();
}
