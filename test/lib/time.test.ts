import { describe, expect, it } from 'vitest';
import { parseTime, toIsoTime } from '../../src/lib/time.ts';

describe('parseTime', () => {
  it.each([
    ['2026-01-01', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T10:30:00Z', '2026-01-01T10:30:00.000Z'],
    ['2026-01-01T10:30', '2026-01-01T10:30:00.000Z'],
    ['2026-01-01 10:30:00', '2026-01-01T10:30:00.000Z'],
    ['2026-01-01T10:30:00.1234567Z', '2026-01-01T10:30:00.123Z'],
    ['2026-01-01T10:30:00+02:00', '2026-01-01T08:30:00.000Z'],
    ['2026-01-01T10:30:00 02:00', '2026-01-01T08:30:00.000Z'],
    ['2026-01-01T10:30:00-0530', '2026-01-01T16:00:00.000Z'],
    ['2026-01-01T10:30:00+02', '2026-01-01T08:30:00.000Z'],
    ['2026-01-01 10:30:00 +0000', '2026-01-01T10:30:00.000Z'],
    ['2026-01-01 10:30:00  0000', '2026-01-01T10:30:00.000Z'],
    ['2026-01-01 10:30:00 UTC', '2026-01-01T10:30:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is read as %s', (text, iso) => {
    expect(new Date(parseTime(text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'now',
    '1',
    '2026',
    '2026-1-1',
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-01-01T24:00',
    '2026-01-01T10:60',
    '2026-01-01T10:30:60',
    '2026-01-01T10:30:00+24:00',
    '2026-01-01T10:30:00+02:60',
    '2026-01-01T10:30:00 EST',
    '01/02/2026',
  ])('%j is not a valid time', (text) => {
    expect(parseTime(text)).toBeNull();
  });
});

describe('toIsoTime', () => {
  it.each([
    0, -1, -86_400_000, 951_782_399_999, 1_767_225_600_007, 253_402_300_799_999,
    253_402_300_800_000, -62_167_219_200_001,
  ])('%d is written as Date does it', (ms) => {
    const time = new Date(ms);
    // The second call finds the date that the first has kept.
    expect([toIsoTime(time), toIsoTime(time)]).toEqual([time.toISOString(), time.toISOString()]);
  });

  it('writes thousands of days, each with its own time', () => {
    const times = Array.from({ length: 9000 }, (_, index) => new Date(index * 90_061_001));
    expect(times.map(toIsoTime)).toEqual(times.map((time) => time.toISOString()));
  });

  it('refuses an invalid date', () => {
    expect(() => toIsoTime(new Date(Number.NaN))).toThrow(RangeError);
  });
});
