import { expect, it } from 'vitest';
import { freeUrlName } from '../../../src/domain/file/url-name.ts';
import { urlFilename } from '../../../src/lib/filename.ts';

it.each([
  ['thumbnail.webp', [], 'thumbnail.webp'],
  ['Thumbnail.webp', ['thumbnail.webp'], 'thumbnail--2.webp'],
  ['thumbnail.webp', ['thumbnail.webp', 'thumbnail--2.webp'], 'thumbnail--3.webp'],
  ['master', ['master'], 'master--2'],
  ['a.tar.gz', ['a.tar.gz'], 'a.tar--2.gz'],
  ['…', ['file'], 'file--2'],
  [`${'a'.repeat(200)}.webp`, [`${'a'.repeat(95)}.webp`], `${'a'.repeat(92)}--2.webp`],
])('%s beside %j is %s', (name, taken, free) => {
  expect(freeUrlName(name, taken)).toBe(free);
  expect(free).toMatch(/^[a-z0-9_.-]{1,100}$/);
});

it('a name with a number cannot be the name of another file', () => {
  expect(urlFilename('thumbnail--2.webp')).toBe('thumbnail-2.webp');
});
