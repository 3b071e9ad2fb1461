import { describe, expect, it } from 'vitest';
import { foldText, toIndexedWords, toSearchWords, toTerms } from '../../src/lib/search-text.ts';

describe('a folded text', () => {
  it.each([
    ['ΟΔΟΣ οδός οδος', 'οδοσ οδοσ οδοσ'],
    ['Straße STRASSE ẞ', 'strasse strasse ss'],
    ['Isparta ISPARTA ısparta İstanbul', 'isparta isparta isparta istanbul'],
    ['Ørsted Æon Œuvre Łódź Đakovo Þór ħ', 'orsted aeon oeuvre lodz dakovo thor h'],
    ['ﬁn ＡＢＣ ① ㎏ ｶﾞﾗｽ', 'fin abc 1 kg ガラス'],
    ['Йога Україна ў Ёлка', 'иога украіна у елка'],
    ['Αθήνα Ελλάδα ϊ', 'αθηνα ελλαδα ι'],
    ['한국어', '한국어'],
    ['हिन्दी বাংলা தமிழ்', 'हिन्दी বাংলা தமிழ்'],
    ['שָׁלוֹם مُحَمَّد أحمد', 'שלום محمد احمد'],
    ['👩🏽‍💻 ❤️ ❤', '👩💻 ❤ ❤'],
    ['so\u00adft zero\u200bwidth', 'soft zerowidth'],
  ])('of %s is %s', (text, folded) => {
    expect(foldText(text)).toBe(folded);
    for (const form of ['NFC', 'NFD'] as const) {
      expect(foldText(text.normalize(form))).toBe(folded);
    }
  });

  it('of a folded character is the same, for all of Unicode, in each case and form', () => {
    const wrong: string[] = [];
    for (let point = 0; point < 0x11_00_00; point++) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const character = String.fromCodePoint(point);
      const folded = foldText(character);
      // Upper case turns an iota that stands below a Greek letter into a letter, which no folding can undo.
      const isIota = character.normalize('NFD').includes('\u0345');
      const others = [folded, character.normalize('NFD'), character.toLowerCase()];
      if (!isIota) others.push(character.toUpperCase());
      if (others.some((other) => foldText(other) !== folded)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

describe('the words of a text', () => {
  it.each([
    ['photo-1_b.JPG', 'photo 1 b jpg'],
    ['東京タワー 2024年', '«東 東京 京タ タワ ワー ー 2024 «年 年'],
    ['iPhoneケース', 'iphone «ケ ケー ース ス'],
    ['ไทย', '«ไ ไท ทย ย'],
    ['party🎉🎂 🇩🇪🇫🇷', 'party 🎉 🎂 🇩🇪 🇫🇷'],
    ['Acme® © 2024', 'acme ® © 2024'],
    ['™ 1️⃣', 'tm 1'],
    ['#️⃣ *⃣ key#️⃣', '＃⃣ ＊⃣ key ＃⃣'],
    ['# * ?! -', ''],
    ['x'.repeat(300), 'x'.repeat(120)],
  ])('%s are %s', (text, words) => {
    expect(toIndexedWords(text)).toBe(words);
  });

  it('are those of the beginning, if the text becomes much longer when it is folded', () => {
    expect(toIndexedWords('\ufdfa'.repeat(10_000)).length).toBeLessThan(40_000);
    expect(toIndexedWords('ﬃ'.repeat(3).concat(' last'))).toBe('ffiffiffi last');
    expect(toIndexedWords(`${'ß '.repeat(5000)}last`)).toMatch(/ last$/);
  });

  it('have a mark between fields, and skip absent fields', () => {
    expect(toIndexedWords('a b', null, undefined, ' ', 'c')).toBe('a b ¦ c');
  });

  it('have only characters that neither database splits or changes', () => {
    const odd: string[] = [];
    for (let point = 0; point < 0x11_00_00; point++) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const words = toIndexedWords(`a${String.fromCodePoint(point)}`);
      if (/[!-/:-@[-`{-~]|[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u.test(words.replaceAll(' ', '')))
        odd.push(words);
    }
    expect(odd).toEqual([]);
  });
});

describe('the words of a search', () => {
  it.each([
    [
      'Été 2024',
      [
        ['ete', 'ete'],
        ['2024', '2024'],
      ],
    ],
    ['京タワー', [['京タ タワ ワー', '«京 京タ タワ ワー ー']]],
    ['京', [['京', '«京 京']]],
    ['東京tow', [['東京 京 tow', '«東 東京 京 tow']]],
    ['abc東京', [['abc «東 東京', 'abc «東 東京 京']]],
    ['!?', []],
  ])('%s', (text, words) => {
    expect(toSearchWords(text).map(({ part, whole }) => [part, whole])).toEqual(words);
  });

  it.each([1, 3, 10])('have at most 60 tokens if there are %i', (count) => {
    const words = toSearchWords(Array(count).fill('漢'.repeat(100)).join(' '));
    expect(words).toHaveLength(count);
    const tokens = words.flatMap(({ part }) => part.split(' '));
    expect(tokens.length).toBeLessThanOrEqual(60);
    for (const { part, whole } of words) expect(whole).toContain(part);
  });
});

it('terms are separated by spaces and commas, and are folded', () => {
  expect(toTerms(' Été,ΟΔΟΣ\u3000a-b，été')).toEqual(['ete', 'οδοσ', 'a-b']);
});
