/** Returns the words of a text as a search compares them: letters and digits, in lower case and without accents. */
export function toWords(text: string): string[] {
  return toPlain(text).match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Tells whether a text has a word that begins with each of these, as `toWords` returns them. */
export function hasWordsFrom(text: string, beginnings: readonly string[]): boolean {
  const plain = toPlain(text);
  return beginnings.every((beginning) => hasWordFrom(plain, beginning));
}

// Makes no list of the words, because a list may check thousands of texts.
function hasWordFrom(plain: string, beginning: string): boolean {
  for (let at = plain.indexOf(beginning); at !== -1; at = plain.indexOf(beginning, at + 1)) {
    if (at === 0 || !ENDS_IN_WORD.test(plain.slice(Math.max(0, at - 2), at))) return true;
  }
  return false;
}

const ENDS_IN_WORD = /[\p{L}\p{N}]$/u;

function toPlain(text: string): string {
  const lower = text.toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
  if (/^[\x00-\x7f]*$/.test(lower)) return lower;
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}

/** Returns the terms of a search by parts of words, which spaces or commas separate. NUL never occurs in text. */
export function toTerms(text: string): string[] {
  return [...new Set(text.split(/[\s,\0]+/).filter(Boolean))];
}
