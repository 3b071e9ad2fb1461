import { describe, expect, it } from 'vitest';
import type { File } from '../../../../src/domain/file/file.ts';
import type { Media } from '../../../../src/domain/tree/media.ts';
import { toMediaBody } from '../../../../src/rest/selfcommunity/tree/media-shape.ts';
import {
  parseContentRange,
  toOffset,
  toSessionBody,
} from '../../../../src/rest/selfcommunity/upload/shape.ts';
import { goldenMedia, MEDIA } from '../tree/golden-media.ts';

const AT = MEDIA.createdAt;
const toUrl = (path: string) => `https://host${path}`;

const FILE: File = {
  id: 9,
  uuid: 'd0cb5a09-7c0b-4ad5-b9f6-5f4d8b1f5b9e',
  mediaId: 7,
  resource: MEDIA.uuid,
  key: '',
  filename: 'beach.jpg',
  extension: 'jpg',
  mimeType: 'image/jpeg',
  sizeBytes: 3_000_123,
  md5: '0'.repeat(32),
  sha256: null,
  width: 1920,
  height: 1080,
  color: null,
  thumbhash: null,
  hasAlpha: null,
  isAnimated: null,
  isPrivate: false,
  damagedAt: null,
  urlPath: '/media/oiodd2qz/beach.jpg',
  createdAt: AT,
  updatedAt: AT,
};

/** The fields of every media item below. */
const START = { id: 7, hash_code: MEDIA.uuid, added_at: '2026-11-21T00:14:35.526Z' };

describe('§3: a media item, byte for byte', () => {
  it('is an image', () => {
    expect(JSON.stringify(toMediaBody(MEDIA, [FILE], toUrl))).toBe(
      JSON.stringify(
        goldenMedia({
          ...START,
          type: 'image',
          title: 'beach.jpg',
          image: 'https://host/media/oiodd2qz/beach.jpg',
          image_width: 1920,
          image_height: 1080,
          image_mimetype: 'image/jpeg',
          mimetype: 'image/jpeg',
          size: 3_000_123,
        }),
      ),
    );
  });

  it('is a document', () => {
    const media: Media = { ...MEDIA, type: 'doc', title: null };
    const file: File = {
      ...FILE,
      filename: 'pdf.pdf',
      mimeType: 'application/pdf',
      width: null,
      height: null,
      urlPath: '/media/oiodd2qz/pdf.pdf',
    };
    expect(JSON.stringify(toMediaBody(media, [file], toUrl))).toBe(
      JSON.stringify(
        goldenMedia({
          ...START,
          type: 'doc',
          title: 'pdf.pdf',
          url: 'https://host/media/oiodd2qz/pdf.pdf',
          mimetype: 'application/pdf',
          size: 3_000_123,
        }),
      ),
    );
  });

  it('is an editor image without a name: §8 row 19', () => {
    const media: Media = { ...MEDIA, type: 'eimage', title: null };
    expect(toMediaBody(media, [FILE], toUrl)).toMatchObject({ type: 'eimage', title: null });
  });
});

describe('§3: a thumbnail', () => {
  it('is the variant of that key, and never shown as the image', () => {
    const thumbnail: File = {
      ...FILE,
      key: 'thumbnail.webp',
      mimeType: 'image/webp',
      width: 320,
      height: 180,
      color: '#102030',
      urlPath: '/media/oiodd2qz/thumbnail.webp',
    };
    const body = toMediaBody(MEDIA, [FILE, thumbnail], toUrl);
    const url = 'https://host/media/oiodd2qz/thumbnail.webp';
    const shown = { url, width: 320, height: 180, color: '#102030' };
    expect(JSON.stringify(body.image_thumbnail)).toBe(JSON.stringify(shown));
    expect(body).toMatchObject({ image: 'https://host/media/oiodd2qz/beach.jpg', size: 3_000_123 });
    expect(toMediaBody(MEDIA, [thumbnail], toUrl)).toMatchObject({ image: null, size: null });
  });
});

describe('§2.1: a chunk', () => {
  it('returns exactly these three keys, with `offset` as a string', () => {
    const session = {
      uploadId: 'f3a1c0de000000000000000000002837',
      filename: 'a',
      offsetBytes: 204_800,
      totalBytes: 500_009,
      expiresAt: AT,
    };
    expect(JSON.stringify(toSessionBody(session))).toBe(
      '{"upload_id":"f3a1c0de000000000000000000002837","offset":"204800","expires":"2026-11-21T00:14:35.526Z"}',
    );
  });

  it.each([
    ['bytes 0-204799/500009', { startBytes: 0, sizeBytes: 204_800, totalBytes: 500_009 }],
    ['bytes 409600-500008/500009', { startBytes: 409_600, sizeBytes: 90_409, totalBytes: 500_009 }],
    ['bytes 0-0/1', { startBytes: 0, sizeBytes: 1, totalBytes: 1 }],
    ['bytes 0-1/99999999999999999999', { startBytes: 0, totalBytes: Number.MAX_SAFE_INTEGER }],
  ])('of %s has the expected position', (header, range) => {
    expect(parseContentRange(header)).toMatchObject(range);
  });

  it('has an `offset` that is ignored unless it is a count of bytes', () => {
    const values = ['204800', 204_800, '', 'string', '-1', '1.5', null, undefined, '9'.repeat(20)];
    const none = [null, null, null, null, null, null, null];
    expect(values.map(toOffset)).toEqual([204_800, 204_800, ...none]);
  });
});
