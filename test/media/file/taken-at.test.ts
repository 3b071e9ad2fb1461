import { expect, test } from 'vitest';
import { parseTime, takenAtOf } from '../../../src/media/file/taken-at.ts';

const tag = (description: string) => ({ description });

test.each([
  ['2023:05:06 07:08:09', '2023-05-06T07:08:09.000Z'],
  ['2023:05:06 07:08:09.1+02:00', '2023-05-06T05:08:09.100Z'],
  ['2023-05-06T07:08:09.123456-09:30', '2023-05-06T16:38:09.123Z'],
  ['2023-05-06T07:08:09+0200', '2023-05-06T05:08:09.000Z'],
  ['2023-05-06T07:08Z', '2023-05-06T07:08:00.000Z'],
  ['2023-05-06', '2023-05-06T00:00:00.000Z'],
  ['2023-05', '2023-05-01T00:00:00.000Z'],
])('%s is %s', (text, expected) => {
  expect(new Date(parseTime(text) ?? Number.NaN).toISOString()).toBe(expected);
});

test.each([
  '0000:00:00 00:00:00',
  '2023:02:30 00:00:00',
  '2023:13:01 00:00:00',
  '2023:05:06 24:61:00',
  '    :  :     :  :  ',
  '2023',
  'yesterday',
  '',
])('%j is no time', (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test('the time of the exposure comes before that of digitization, and EXIF before XMP and IPTC', () => {
  const exif = {
    DateTimeOriginal: tag('2001:01:01 00:00:00'),
    DateTimeDigitized: tag('2005:01:01 00:00:00'),
    OffsetTime: tag('+01:00'),
  };
  const xmp = { DateCreated: tag('2002-01-01T00:00:00Z'), CreateDate: tag('2006-01-01') };
  const iptc = { 'Date Created': tag('2003-01-01'), 'Time Created': tag('10:00:00+02:00') };
  const { DateTimeOriginal: _, ...digitized } = exif;
  const { DateCreated: __, ...created } = xmp;
  const takenAt = [
    { exif, xmp, iptc },
    { exif: digitized, xmp, iptc },
    { exif: digitized, xmp: created, iptc },
    { exif: digitized, xmp: created },
    { xmp: created },
    {},
  ].map(takenAtOf);
  expect(takenAt.map((time) => time && new Date(time).toISOString())).toEqual([
    '2000-12-31T23:00:00.000Z',
    '2002-01-01T00:00:00.000Z',
    '2003-01-01T08:00:00.000Z',
    '2004-12-31T23:00:00.000Z',
    '2006-01-01T00:00:00.000Z',
    undefined,
  ]);
});
