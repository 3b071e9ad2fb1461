import { expect, test } from 'vitest';
import { parseHttpDate } from '../../src/http/http-date.ts';

const NOVEMBER_6 = Date.UTC(1994, 10, 6, 8, 49, 37);
const IN_2026 = Date.UTC(2026, 5, 1);

test.each([
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
])('all three formats of RFC 9110 are read: %s', (text) => {
  expect(parseHttpDate(text, IN_2026)).toBe(NOVEMBER_6);
});

test('the output of toUTCString is read back', () => {
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  expect(parseHttpDate(now.toUTCString())).toBe(now.getTime());
});

test.each([
  ['76', 2076],
  ['77', 1977],
  ['26', 2026],
  ['00', 2000],
])('the two-digit year %s is %d', (digits, year) => {
  const time = parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, IN_2026);
  expect(new Date(time!).getUTCFullYear()).toBe(year);
});

test('a leap day and a leap second are dates', () => {
  expect(parseHttpDate('Thu, 29 Feb 2024 00:00:00 GMT')).toBe(Date.UTC(2024, 1, 29));
  expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2017, 0, 1));
});

test.each([
  '',
  '0',
  '1994',
  '784111777000',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'sun, 06 nov 1994 08:49:37 gmt',
  'Sun, 06 Foo 1994 08:49:37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:49:37 GMT',
  'Sun, 06 Nov 1994 08:60:37 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ' Sun, 06 Nov 1994 08:49:37 GMT',
])('%j is not a date', (text) => expect(parseHttpDate(text)).toBeNull());
