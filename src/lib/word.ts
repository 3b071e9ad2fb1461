/** Returns the words of a text as the search index has them: letters and digits, in lower case and without accents. */
export function toWords(text: string): string[] {
  const plain = text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Returns the terms of a search by parts of words, which spaces or commas separate. NUL never occurs in text. */
export function toTerms(text: string): string[] {
  return [...new Set(text.split(/[\s,\0]+/).filter(Boolean))];
}
