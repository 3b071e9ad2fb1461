import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentCache } from '../../../src/graphql/pipeline/document-cache.ts';

const DOCUMENT = parse('{ a }');

function cached(cache: ReturnType<typeof createDocumentCache>, texts: readonly string[]): string {
  return texts.filter((text) => cache.get(text)).join();
}

it('when the texts are too long, the least recently used document is evicted', () => {
  const cache = createDocumentCache(6);
  for (const text of ['aa', 'bb', 'cc']) cache.set(text, DOCUMENT);
  expect(cache.get('aa')).toBe(DOCUMENT);
  cache.set('dd', DOCUMENT);
  expect(cached(cache, ['aa', 'bb', 'cc', 'dd'])).toBe('aa,cc,dd');
  cache.set('eeeeee', DOCUMENT);
  expect(cached(cache, ['aa', 'cc', 'dd', 'eeeeee'])).toBe('eeeeee');
});

it('a text that is stored again counts once', () => {
  const cache = createDocumentCache(6);
  for (const text of ['aa', 'aa', 'aa', 'bb', 'cc']) cache.set(text, DOCUMENT);
  expect(cached(cache, ['aa', 'bb', 'cc'])).toBe('aa,bb,cc');
});

it('a text that is too long by itself is not kept, and evicts no other', () => {
  const cache = createDocumentCache(6);
  cache.set('1234567', DOCUMENT);
  cache.set('123456', DOCUMENT);
  expect(cached(cache, ['1234567', '123456'])).toBe('123456');
});
