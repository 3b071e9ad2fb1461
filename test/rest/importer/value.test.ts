import { describe, expect, it } from 'vitest';
import { suggestion } from '../../../src/rest/importer/problem.ts';
import { parseFlag } from '../../../src/rest/importer/query.ts';

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

  it('is absent if no known name is near', () => {
    expect(suggestion('xyzzy', KNOWN)).toBe('');
    expect(suggestion('a'.repeat(10_000), KNOWN)).toBe('');
  });
});
