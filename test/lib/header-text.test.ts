import { expect, test } from 'vitest';
import { headerText } from '../../src/lib/header-text.ts';

/** Returns the header as Node passes it on. */
const received = (bytes: Buffer) => bytes.toString('latin1');

test.each([
  ['ASCII', Buffer.from('a.txt'), 'a.txt'],
  ['UTF-8', Buffer.from('né €.txt'), 'né €.txt'],
  ['ISO 8859-1', Buffer.from('n\xe9.txt', 'latin1'), 'n\xe9.txt'],
  ['nothing', Buffer.alloc(0), ''],
])('decodes a header in %s', (_what, bytes, text) => {
  expect(headerText(received(bytes))).toBe(text);
});
