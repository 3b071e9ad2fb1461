import { expect, test } from 'vitest';
import { loggedPath } from '../../../src/http/viewer/logged-path.ts';

test.each([
  ['/media/abcdefgh/a.png?expires=1&signature=secret', '/media/abcdefgh/a.png'],
  [
    '/i/abcdefgh/0123456789/w8.webp.e498765.se-cr_et/a.png',
    '/i/abcdefgh/0123456789/w8.webp.e498765.***/a.png',
  ],
  ['/i/abcdefgh/0123456789/se-cr_et/a.b.png?download=1', '/i/abcdefgh/0123456789/***/a.b.png'],
  ['/i/abcdefgh', '/i/abcdefgh'],
  ['/jobs/tvm_0123456789', '/jobs/***'],
])('%s is logged as %s', (url, logged) => {
  expect(loggedPath(url)).toBe(logged);
});
