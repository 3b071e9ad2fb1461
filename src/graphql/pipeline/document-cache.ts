import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Maximum length of all texts together. A parsed document takes up to 170 times as much memory: 45 MB in all at worst.
 */
const CHARACTERS_MAX = 250_000;

/** Parsed documents by their text. */
export type DocumentCache = LRUCache<string, DocumentNode>;

/**
 * Creates a cache of documents that evicts the least recently used when their texts exceed `charactersMax` in all.
 * A cache of 1,024 documents of any size, as Yoga's is, took 740 MB for documents just within the limits.
 */
export function createDocumentCache(charactersMax = CHARACTERS_MAX): DocumentCache {
  return new LRUCache({
    maxSize: charactersMax,
    sizeCalculation: (_document, text) => text.length,
  });
}
