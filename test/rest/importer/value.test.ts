import { describe, expect, it } from 'vitest';
import { parseFlag, parseTime, parseUuid } from '../../../src/rest/importer/field-value.ts';
import { suggestion } from '../../../src/rest/importer/suggestion.ts';

describe('a time', () => {
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
  ])('%s is %s', (text, iso) => {
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
  ])('%s is none', (text) => {
    expect(parseTime(text)).toBeNull();
  });
});

describe('a boolean', () => {
  it.each([
    ['Yes', true],
    ['OFF', false],
    ['2', null],
    ['', null],
  ])('%s is %s', (text, flag) => {
    expect(parseFlag(text)).toBe(flag);
  });
});

it('a UUID is taken in either case, and nothing around it', () => {
  const uuid = '019BB5F0-0000-7000-8000-000000000001';
  expect(parseUuid(uuid)).toBe(uuid.toLowerCase());
  expect([parseUuid(`${uuid} `), parseUuid(uuid.replaceAll('-', ''))]).toEqual([null, null]);
});

describe('a suggestion', () => {
  const KNOWN = ['status', 'scheduled_at', 'priority'];
  it.each([
    ['stauts', 'status'],
    ['Status', 'status'],
    ['prio', 'priority'],
    ['schedule', 'scheduled_at'],
  ])('for %s is %s', (name, meant) => {
    expect(suggestion(name, KNOWN)).toBe(`; did you mean "${meant}"?`);
  });

  it('is not made for what is near to nothing', () => {
    expect(suggestion('xyzzy', KNOWN)).toBe('');
    expect(suggestion('a'.repeat(10_000), KNOWN)).toBe('');
  });
});
