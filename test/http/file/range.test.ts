import { describe, expect, test } from 'vitest';
import { selectRange } from '../../../src/http/file/range.ts';
import { cpuMs } from '../../support/cpu-time.ts';

describe('a Range header of 100 bytes', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-99', 0, 99],
    ['bytes=10-19', 10, 19],
    ['bytes=10-', 10, 99],
    ['bytes=99-', 99, 99],
    ['bytes=-1', 99, 99],
    ['bytes=-10', 90, 99],
    ['bytes=-100', 0, 99],
    ['bytes=-101', 0, 99],
    ['bytes=-99999999999999999999', 0, 99],
    ['bytes=90-100', 90, 99],
    ['bytes=90-99999999999999999999', 90, 99],
    ['bytes=007-0008', 7, 8],
    // RFC 9110 §14.1: "range-unit […] names are case-insensitive".
    ['Bytes=0-4', 0, 4],
    ['BYTES=0-4', 0, 4],
  ])('%s selects %d to %d', (header, start, end) => {
    expect(selectRange(header, 100)).toEqual({ start, end });
  });

  test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%s cannot be satisfied',
    (header) => expect(selectRange(header, 100)).toBe('unsatisfiable'),
  );

  test.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=--1',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1',
    'bytes=1-2-3',
    'bytes=+1-2',
    'bytes=1.0-2',
    'bytes=1 - 2',
    'bytes= 1-2',
    'bytes=1-2 ',
    'bytes =1-2',
    'bytes:1-2',
    'bytes=٣-٤',
    // "An int-range is invalid if the last-pos value is present and less than first-pos."
    'bytes=5-4',
    'bytes=200-100',
    'items=0-4',
    'bytesx=0-4',
    '0-4',
  ])('%j is ignored', (header) => expect(selectRange(header, 100)).toBe('whole'));
});

describe('several ranges', () => {
  test.each(['bytes=0-1,5-6', 'bytes=0-1, 1-2', 'bytes=-1,0-0', 'bytes=0-,0-,0-'])(
    '%s: everything is sent, once',
    (header) => expect(selectRange(header, 100)).toBe('whole'),
  );

  test('the only satisfiable one is sent alone', () => {
    expect(selectRange('bytes=200-,5-6,-0', 100)).toEqual({ start: 5, end: 6 });
    expect(selectRange('bytes=,5-6,\t,', 100)).toEqual({ start: 5, end: 6 });
  });

  test('are unsatisfiable if none of them can be satisfied', () => {
    expect(selectRange('bytes=200-, -0', 100)).toBe('unsatisfiable');
  });

  test('are all ignored if one is malformed', () => {
    expect(selectRange('bytes=0-1,x', 100)).toBe('whole');
    expect(selectRange('bytes=200-,5-4', 100)).toBe('whole');
  });
});

test('of an empty file are ignored', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-5']) {
    expect(selectRange(header, 0)).toBe('whole');
  }
});

test('a hostile header costs no time', () => {
  const tookMs = cpuMs(() => {
    for (const part of [' ', ',', '0-,', '1-2 ,\t', '-', '9']) {
      selectRange(`bytes=${part.repeat(100_000)}`, 100);
    }
  });
  expect(tookMs).toBeLessThan(500);
});
