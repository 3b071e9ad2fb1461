import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { evaluateConditions, isRangeWanted, type Verdict } from '../../src/http/etag.ts';
import { cpuMs } from '../support/cpu-time.ts';

const VALIDATORS = { etag: '"abc"', lastModified: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) };
const EARLIER = 'Fri, 02 Jan 2026 03:04:04 GMT';
const SAME = 'Fri, 02 Jan 2026 03:04:05 GMT';
const LATER = 'Fri, 02 Jan 2026 03:04:06 GMT';

function check(headers: IncomingHttpHeaders): Verdict {
  return evaluateConditions(headers, VALIDATORS);
}

test('without conditions a request proceeds', () => expect(check({})).toBe('proceed'));

describe('If-Match compares strongly', () => {
  test.each(['"abc"', '*', '"x", "abc"', '"x","abc"', ',"x" ,, "abc",'])(
    '%s: proceed',
    (header) => {
      expect(check({ 'if-match': header })).toBe('proceed');
    },
  );

  test.each(['"x"', 'W/"abc"', '"x", W/"abc"', '"ABC"', '""', '"a,b"'])('%s: failed', (header) => {
    expect(check({ 'if-match': header })).toBe('failed');
  });
});

describe('If-None-Match compares weakly', () => {
  test.each(['"abc"', 'W/"abc"', '*', ' * ', '"x", W/"y",\t"abc"'])(
    '%s: not-modified',
    (header) => {
      expect(check({ 'if-none-match': header })).toBe('not-modified');
    },
  );

  test.each(['"x"', '"a,b", "\u00e9"', '"abc "'])('%s: proceed', (header) => {
    expect(check({ 'if-none-match': header })).toBe('proceed');
  });
});

describe('malformed tags are ignored', () => {
  test.each([
    '',
    'abc',
    '"abc',
    'abc"',
    'w/"abc"',
    'W/abc',
    '*, "abc"',
    '"abc" "x"',
    '"abc""x"',
    '"x,"abc"',
    '"abc"; "x"',
    ',',
    "'abc'",
  ])('%j', (header) => {
    expect(check({ 'if-none-match': header })).toBe('proceed');
    expect(check({ 'if-match': header })).toBe('proceed');
  });
});

describe('dates are compared to the second', () => {
  test.each<[string, Verdict, Verdict]>([
    [EARLIER, 'proceed', 'failed'],
    [SAME, 'not-modified', 'proceed'],
    [LATER, 'not-modified', 'proceed'],
    ['Friday, 02-Jan-26 03:04:05 GMT', 'not-modified', 'proceed'],
    ['Fri Jan  2 03:04:05 2026', 'not-modified', 'proceed'],
  ])('%s: If-Modified-Since %s, If-Unmodified-Since %s', (date, modified, unmodified) => {
    expect(check({ 'if-modified-since': date })).toBe(modified);
    expect(check({ 'if-unmodified-since': date })).toBe(unmodified);
  });

  test.each(['yesterday', '2020-01-01', '1', ''])('%j is no date and is ignored', (text) => {
    expect(check({ 'if-modified-since': text })).toBe('proceed');
    expect(check({ 'if-unmodified-since': text })).toBe('proceed');
  });
});

describe('the order of RFC 9110 §13.2.2', () => {
  test('If-Match overrides If-Unmodified-Since', () => {
    expect(check({ 'if-match': '"abc"', 'if-unmodified-since': EARLIER })).toBe('proceed');
    expect(check({ 'if-match': '"x"', 'if-unmodified-since': LATER })).toBe('failed');
  });

  test('If-None-Match overrides If-Modified-Since', () => {
    expect(check({ 'if-none-match': '"x"', 'if-modified-since': LATER })).toBe('proceed');
    expect(check({ 'if-none-match': '"abc"', 'if-modified-since': EARLIER })).toBe('not-modified');
    expect(check({ 'if-none-match': 'nonsense', 'if-modified-since': LATER })).toBe('proceed');
  });

  test('412 comes before 304', () => {
    expect(check({ 'if-match': '"x"', 'if-none-match': '"abc"' })).toBe('failed');
    expect(check({ 'if-unmodified-since': EARLIER, 'if-none-match': '"abc"' })).toBe('failed');
    expect(check({ 'if-match': '"abc"', 'if-none-match': '"abc"' })).toBe('not-modified');
    expect(check({ 'if-unmodified-since': SAME, 'if-modified-since': SAME })).toBe('not-modified');
  });
});

describe('If-Range', () => {
  test.each([
    [undefined, true],
    ['"abc"', true],
    [SAME, true],
    ['Fri Jan  2 03:04:05 2026', true],
    ['"x"', false],
    ['W/"abc"', false],
    // Not a list, and no wildcard.
    ['"abc", "x"', false],
    ['*', false],
    // "exactly matches", unlike If-Unmodified-Since.
    [LATER, false],
    [EARLIER, false],
    ['abc', false],
    ['', false],
  ])('%s: %s', (header, isWanted) => expect(isRangeWanted(header, VALIDATORS)).toBe(isWanted));
});

test('a hostile header costs no time', () => {
  const tookMs = cpuMs(() => {
    for (const part of [' ', ',', '"', '" ', '"a" ', '"a",', 'W/', 'W/"', ' \t']) {
      check({ 'if-none-match': `${part.repeat(100_000)}x` });
    }
  });
  expect(tookMs).toBeLessThan(500);
});
