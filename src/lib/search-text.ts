/**
 * The words of a text, for the index of a search and for what is looked for: both sides of the comparison come from
 * this file, so that no database has rules of its own. A change of these rules needs a migration that writes the words
 * of all rows again, as 0014 does.
 */

/** A word of a search, as tokens that are separated by spaces. */
export interface SearchWord {
  /** Tokens that stand together in the words of a text that has this one. The last one may go on. */
  part: string;
  /** Tokens that stand together in the words of a text that has exactly this one. */
  whole: string;
}

/** A token between the words of two fields. No search has it, so that no word is found across the two. */
export const FIELD_END = '¦';

/** Begins the token that marks the start of a text in a script without spaces. */
const RUN_START = '«';

/** Maximum length of a token, in code points: PostgreSQL refuses tokens of more than 2,046 bytes. */
const TOKEN_LENGTH_MAX = 120;

/** Maximum number of tokens of a search: each is a look-up in an index. Longer words are cut. */
const SEARCH_TOKENS_MAX = 60;

/**
 * Maximum length of a folded text that is split into words. The longest description has 10,000 characters, and few
 * characters become more than three; one becomes 18, and splitting 180,000 characters would block other requests.
 */
const FOLDED_LENGTH_MAX = 30_000;

/**
 * Returns a text as searches compare it: NFKC, full case folding, without accents, with the base letters of `ø`, `æ`,
 * `ł` and others. Also ignores the points of Hebrew and Arabic, which most writers omit, invisible characters and the
 * skin tones of emoji. Other marks belong to their word.
 */
export function foldText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  return foldCase(text.normalize('NFKD').replace(IGNORED, ''))
    .replace(OTHER_LATIN, (letter) => BASE_LETTERS[letter] ?? letter)
    .normalize('NFC');
}

/**
 * Returns a text for comparisons that ignore case, by Unicode's full case folding: `ß` is `ss`, `ı` is `i`, and all forms of
 * sigma are the same. `isLike` has the same in SQL.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

/**
 * Returns the tokens of texts, separated by spaces. Most words are a token. A text in a script without spaces becomes
 * its pairs of characters, with a mark of its start before and its last character after them.
 */
export function toIndexedWords(...texts: readonly (string | null | undefined)[]): string {
  const fields = texts.filter((text) => typeof text === 'string');
  return fields
    .map((text) => wordsOf(text).flatMap(tokensOf).join(' '))
    .filter(Boolean)
    .join(` ${FIELD_END} `);
}

/** Returns the words of a search: those that spaces or punctuation separate. */
export function toSearchWords(text: string): SearchWord[] {
  const words = wordsOf(text);
  const tokensMax = Math.max(1, Math.floor(SEARCH_TOKENS_MAX / words.length));
  return words.map((word) => ({
    part: partOf(word).slice(0, tokensMax).join(' '),
    // As long as the part, which a whole word has in any case.
    whole: tokensOf(word)
      .slice(0, tokensMax + Number(word[0]?.isRun))
      .join(' '),
  }));
}

/**
 * Returns the terms of a search by parts of words, which spaces or commas separate, as `foldText` returns them. NUL
 * never occurs in text.
 */
export function toTerms(text: string): string[] {
  return [
    ...new Set(
      foldText(text)
        .split(/[\s,\0]+/)
        .filter(Boolean),
    ),
  ];
}

/** A piece of a word: letters and digits, an emoji, or a run in a script without spaces. */
interface Piece {
  text: string;
  isRun: boolean;
}
type Word = Piece[];

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let end = -1;
  const folded = foldText(text).slice(0, FOLDED_LENGTH_MAX);
  for (const { 0: piece, index, groups } of folded.matchAll(PIECES)) {
    if (index !== end) words.push([]);
    words.at(-1)?.push({ text: piece, isRun: groups?.run !== undefined });
    end = index + piece.length;
  }
  return words;
}

function tokensOf(word: Word): string[] {
  return word.flatMap((piece) => {
    if (!piece.isRun) return [cut(piece.text)];
    const characters = [...piece.text];
    return [startOf(piece), ...pairsOf(characters), ...characters.slice(-1)];
  });
}

/** A part may begin in the middle of a first run and end in the middle of a last one. */
function partOf(word: Word): string[] {
  const [first, last] = [word.at(0), word.at(-1)];
  const tokens = tokensOf(word);
  const begun = first?.isRun ? tokens.slice(1) : tokens;
  return last?.isRun && [...last.text].length > 1 ? begun.slice(0, -1) : begun;
}

function startOf({ text }: Piece): string {
  return RUN_START + String.fromCodePoint(text.codePointAt(0) ?? 0);
}

function pairsOf(characters: readonly string[]): string[] {
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/** SQLite splits at the signs of ASCII, so that tokens have their wide forms. */
function cut(piece: string): string {
  const token = piece.replace('#', '＃').replace('*', '＊');
  if (token.length <= TOKEN_LENGTH_MAX) return token;
  return [...token].slice(0, TOKEN_LENGTH_MAX).join('');
}

const IGNORED = new RegExp(
  `[${[
    // Invisible characters, variation selectors and the joiners of emoji.
    '\\p{Default_Ignorable_Code_Point}',
    '\\p{Emoji_Modifier}',
    // Accents of all scripts, and those of Cyrillic.
    '\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20e2\\u20e4-\\u20ff\\ufe20-\\ufe2f',
    '\\u0483-\\u0489\\u2de0-\\u2dff\\ua66f-\\ua672\\ua674-\\ua67d\\ua69e\\ua69f',
    // The points of Hebrew; the vowels, hamza and long dash of Arabic.
    '\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7',
    '\\u0610-\\u061a\\u0640\\u064b-\\u065f\\u0670\\u06d6-\\u06dc\\u06df-\\u06e4\\u06e7\\u06e8\\u06ea-\\u06ed',
    '\\u0898-\\u089f\\u08ca-\\u08ff',
  ].join('')}]|(?<![#*]\\ufe0f?)\\u20e3`,
  'gu',
);

/** Latin letters that Unicode does not decompose. */
const BASE_LETTERS: Readonly<Record<string, string>> = {
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ȷ: 'j',
  ƀ: 'b',
  ȼ: 'c',
  ɇ: 'e',
  ǥ: 'g',
  ɨ: 'i',
  ɉ: 'j',
  ƙ: 'k',
  ɍ: 'r',
  ʉ: 'u',
  ɏ: 'y',
  ƶ: 'z',
  ⱥ: 'a',
  ⱦ: 't',
  ᵽ: 'p',
};

const OTHER_LATIN = new RegExp(`[${Object.keys(BASE_LETTERS).join('')}]`, 'gu');

/** Scripts whose texts have no spaces between words. Korean has spaces. */
const WITHOUT_SPACES = [
  'Hani',
  'Hira',
  'Kana',
  'Bopo',
  'Yiii',
  'Thai',
  'Laoo',
  'Khmr',
  'Mymr',
  'Lana',
  'Tale',
  'Talu',
  'Tavt',
  'Java',
  'Bali',
]
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join('');

const PIECES = new RegExp(
  [
    `(?<run>[[\\p{L}\\p{N}\\p{M}]&&[${WITHOUT_SPACES}]]+)`,
    `[[\\p{L}\\p{N}\\p{M}]--[${WITHOUT_SPACES}]]+`,
    // The keys # and *, which are emoji only with their frame. Those of digits are digits.
    '[#*]\\u20e3',
    // A flag is two characters.
    '\\p{Regional_Indicator}{1,2}',
    '\\p{Extended_Pictographic}',
  ].join('|'),
  'gv',
);
