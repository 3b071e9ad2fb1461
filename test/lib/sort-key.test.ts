import { describe, expect, it } from 'vitest';
import { nameSortKey } from '../../src/lib/sort-key.ts';
import { cpuMs } from '../support/cpu-time.ts';

function sorted(names: readonly string[]): string[] {
  const keys = new Map(names.map((name) => [name, Buffer.from(nameSortKey(name))]));
  const keyOf = (name: string) => keys.get(name) ?? Buffer.of();
  return names.toSorted((a, b) => Buffer.compare(keyOf(a), keyOf(b)));
}

describe('names are in the order in which people put them', () => {
  it.each(
    Object.entries({
      'numbers by their values': ['c1', 'c02', 'c2', 'c9', 'c10', 'c010b', 'c100', 'ca'],
      'numbers in numbers': ['v1.2', 'v1.10', 'v2.1', 'v10'],
      'long numbers': ['9'.repeat(8), '1'.repeat(9), '9'.repeat(9), '1'.repeat(18), '1'.repeat(19)],
      'dates and sizes': ['2024-1-9', '2024-01-10', '2024-12-1', '2025-1-1'],
      'numbers of other scripts': ['x٣', 'x４', 'x५', 'x10', 'x٢٠'],
      'without case': ['alpha', 'Beta', 'gamma', 'Zeta'],
      'upper case first among equals': ['E', 'e', 'É', 'é', 'F', 'f'],
      'accents beside their letters': ['Eber', 'Éclair', 'Edel', 'ete', 'Étude'],
      'letters without a decomposition': ['Lodz', 'Łódź', 'Lof', 'od', 'ødem', 'of'],
      'ß as ss': ['Strasse 1', 'Straße 2', 'Strasse 3'],
      'Greek, also at the end of a word': ['ΟΔΟΣ', 'οδος', 'οδός', 'Οδυσσέας'],
      'й after и': ['игла', 'ия', 'йод', 'кот'],
      'ё beside е': ['еда', 'ёж', 'ель'],
      'width does not count': ['Ab', 'ＡＣ', 'ad'],
      'kana with and without dakuten': ['かき', 'がき', 'きか'],
      'Korean syllables': ['가', '각', '나', '한'],
      'a word before the same word with more': ['Ann', 'Ann B', 'Ann-B', 'Anna'],
      'digits before letters, signs before digits': [' x', '!x', '-x', '1x', 'x'],
    }),
  )('%s', (_, names) => {
    expect(sorted(names.toReversed())).toEqual(names);
  });
});

it('a key has no byte that a database refuses, and at most 1,000', () => {
  for (const name of [
    '\ufdfa'.repeat(255),
    '😀'.repeat(255),
    'x'.repeat(255),
    `a${'9'.repeat(254)}`,
  ]) {
    const key = nameSortKey(name);
    expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1000);
    expect(key).toBe(key.toWellFormed());
    expect(key).not.toMatch(/\0|\ufffd/);
  }
});

it('the key of a very long text takes no time', () => {
  expect(cpuMs(() => nameSortKey('\u0301\u0327'.repeat(1_000_000)))).toBeLessThan(500);
});
