import { expect, it } from 'vitest';
import { decodeHtml } from '../../src/outbound/html-text.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

it.each<[string, Uint8Array, string | null, string]>([
  ['the byte order mark before the header', latin1('\xff\xfea\0'), 'text/html; charset=utf-8', 'a'],
  ['the header before <meta>', latin1('<meta charset=utf-8>\xe9'), 'text/html;charset=latin1', 'é'],
  ['a quoted label of the header', latin1('\xb1'), 'text/html; charset="iso-8859-2"', 'ą'],
  ['<meta>', latin1('<meta charset="koi8-r">\xc1'), 'text/html', 'а'],
  ['no <meta> in a comment', latin1('<!-- <meta charset="koi8-r"> -->\xe9.'), null, 'é'],
  [
    'no <meta> behind 1024 bytes',
    latin1(`${' '.repeat(1024)}<meta charset=koi8-r>\xe9.`),
    null,
    'é',
  ],
  ['windows-1252 without any', latin1('\x80'), null, '€'],
  ['UTF-8 without any, cut in a character', Buffer.from('é€').subarray(0, 4), null, 'é'],
  ['the default for an unknown label', Buffer.from('é'), 'text/html; charset=martian', 'é'],
  ['the default for an unsafe label', Buffer.from('é'), 'text/html; charset=iso-2022-kr', 'é'],
])('decodes a page by %s', (_what, bytes, contentType, expected) => {
  expect(decodeHtml(bytes, contentType)).toContain(expected);
});
