import type { DocumentNode } from 'graphql';

/** Of all texts together. A parsed document takes up to 170 times as much memory: 45 MB in all at worst. */
const CHARACTERS_MAX = 250_000;

/** What keeps nothing, for Yoga's cache of errors: what cannot be parsed is found out again in no time. */
export const NO_CACHE = { get: () => undefined, set: () => undefined };

/** Documents by their text. */
export type DocumentCache = ReturnType<typeof createDocumentCache>;

/**
 * Documents by their text, until the texts have more characters: then those go that were asked for longest ago.
 * Yoga's own cache holds 1,024 of any size: so many that are just within the limits were 740 MB.
 */
export function createDocumentCache(charactersMax = CHARACTERS_MAX) {
  const documents = new Map<string, DocumentNode>();
  let characters = 0;
  return {
    get(text: string): DocumentNode | undefined {
      const document = documents.get(text);
      // The order of a map is that of insertion.
      if (document && documents.delete(text)) documents.set(text, document);
      return document;
    },
    set(text: string, document: DocumentNode): void {
      if (!documents.has(text)) characters += text.length;
      documents.set(text, document);
      for (const oldest of documents.keys()) {
        if (characters <= charactersMax) return;
        documents.delete(oldest);
        characters -= oldest.length;
      }
    },
  };
}
