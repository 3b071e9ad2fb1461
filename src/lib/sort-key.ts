/** A key has at most this many bytes: an index of PostgreSQL cannot hold much longer ones. */
const KEY_BYTES_MAX = 1000;

/** Less than every character of a name: `Ann` comes before `Ann B` and `Anna`. */
const LEVEL = '\u0001';

/**
 * Returns the key that lists order a name by, so that the order of the keys' bytes is the order of the names: without
 * case, accents and the width of letters, and with numbers by their values, `c2` before `c10` and `É` beside `E`. Names
 * that are alike in this are ordered by their exact characters. A database needs no collation for it, so that all of
 * them have the same order, and so does an index. A change of this function needs a migration that writes all keys.
 */
export function nameSortKey(name: string): string {
  // What follows has no place in the key, and to normalize a long text takes long.
  const start = name.length > KEY_BYTES_MAX ? name.slice(0, KEY_BYTES_MAX).toWellFormed() : name;
  return firstBytes(toPrimary(start) + LEVEL + start);
}

function toPrimary(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
  const folded = /^[\x00-\x7f]*$/.test(name) ? name.toLowerCase() : fold(name);
  return folded.replace(/\p{Nd}+/gu, toNumberKey);
}

/** Removes the accents of Latin, Greek and Cyrillic letters. The marks of other scripts are letters. */
function fold(name: string): string {
  return (
    name
      .normalize('NFKD')
      .replace(ACCENTS, '')
      // As full case folding does: `ß` becomes `ss`.
      .toUpperCase()
      .toLowerCase()
      .replace(/[ςøæœłđðþħŧı]/g, (letter) => BASES[letter] ?? letter)
      .normalize('NFC')
  );
}

/** The breve of `й`, which follows `и` in the alphabet, is no accent. */
const ACCENTS = /(?<![иИ])\u0306|[\u0300-\u0305\u0307-\u036f]/g;

/** Letters that have no decomposition, beside those that they are taken for. `ς` is `σ` at the end of a word. */
const BASES: Readonly<Record<string, string>> = {
  ...{ ς: 'σ', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ħ: 'h', ŧ: 't', ı: 'i' },
};

/** Returns a number so that the order of the texts is that of the numbers: its length comes first. */
function toNumberKey(digits: string): string {
  const plain = /^[0-9]+$/.test(digits) ? digits : Array.from(digits, toDigit).join('');
  const number = plain.replace(/^0+/, '');
  return `${'9'.repeat(number.length / 9)}${number.length % 9}${number}`;
}

/** Returns the value of a decimal digit of any script. Unicode has the ten of a script in a row. */
function toDigit(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
  return value;
}

/** Cuts a text at a character. */
function firstBytes(text: string): string {
  if (text.length * 3 <= KEY_BYTES_MAX) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= KEY_BYTES_MAX) return text;
  let end = KEY_BYTES_MAX;
  // The bytes of a character after the first one begin with the bits 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
