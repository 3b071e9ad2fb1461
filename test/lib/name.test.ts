import { describe, expect, it } from 'vitest';
import { cleanName, spellingsOf } from '../../src/lib/name.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { createRandom } from '../support/random.ts';

describe('cleanName', () => {
  it.each(
    Object.entries({
      'decomposed letters': ['Sen\u0303or U\u0308nder', 'Señor Ünder'],
      'compatible characters stay': ['ﬁ x²', 'ﬁ x²'],
      'direction marks': [
        '\u202aa\u202egnp.\u2066b\u2069\u200e\u200f\u061c.exe\u202c',
        'agnp.b.exe',
      ],
      'zero-width characters': ['a\u200bb\u2060c\ufeff\u00ad', 'abc'],
      'spaces of all scripts': ['\u3000 a\u00a0b \u2800', 'a\u00a0b'],
      'line separators': ['a\u2028b\nc', 'a b c'],
      'a lone surrogate': ['a\ud800', 'a\ufffd'],
      'dots stay': ['.a.', '.a.'],
    }),
  )('%s', (_, [raw = '', clean]) => {
    expect(cleanName(raw)).toBe(clean);
  });

  it.each(['', ' \t', '\u200b', '\u200d\ufe0f\u200c', '\u2800', '\u3164\u115f', '\u202e\u{e0061}'])(
    'a name that shows nothing is empty: %j',
    (raw) => {
      expect(cleanName(raw)).toBe('');
    },
  );

  it.each([
    'می\u200cخواهم',
    'क्\u200dष',
    '👨\u200d👩\u200d👧',
    '❤\ufe0f',
    '🏴\u{e0067}\u{e0062}\u{e007f}',
  ])('keeps what a script or an emoji needs: %s', (name) => {
    expect(cleanName(name)).toBe(name);
  });

  it('changes nothing the second time', () => {
    const random = createRandom(3);
    const pieces = [
      'a',
      ' ',
      'é',
      'e\u0301',
      '\u0327',
      '\u200d',
      '\ufe0f',
      '\u202e',
      '\u2028',
      '👨',
      '日',
      '\ud800',
      '\u{e0067}',
      '\u{1f3f4}',
      '\u2800',
      '\u0345',
    ];
    for (let round = 0; round < 5000; round++) {
      const raw = Array.from({ length: 8 }, () => pieces[random(pieces.length)]).join('');
      const name = cleanName(raw);
      expect(cleanName(name), JSON.stringify(raw)).toBe(name);
      expect(name).toBe(name.normalize('NFC'));
    }
  });

  it('takes no time for a text that is longer than any name', () => {
    expect(cpuMs(() => cleanName('\u{e0061}\u0301\u0327'.repeat(1_000_000)))).toBeLessThan(100);
  });
});

it('a name that a client chose is looked for as given, then in NFC', () => {
  expect(spellingsOf('e\u0301')).toEqual(['e\u0301', 'é']);
  expect(spellingsOf('é')).toEqual(['é']);
});
