import { expect, test } from 'vitest';
import { contentDisposition } from '../../../src/http/file/disposition.ts';

test.each([
  ['logo.png', 'inline; filename="logo.png"'],
  ['My logo (1).png', 'inline; filename="My logo (1).png"'],
  ['a;b,c=d.txt', 'inline; filename="a;b,c=d.txt"'],
])('an ASCII name is sent unchanged: %s', (name, header) => {
  expect(contentDisposition('inline', name)).toBe(header);
});

test.each(
  Object.entries({
    'Über café.pdf': { ascii: 'Uber cafe.pdf', extended: '%C3%9Cber%20caf%C3%A9.pdf' },
    '日本語.txt': { ascii: '___.txt', extended: '%E6%97%A5%E6%9C%AC%E8%AA%9E.txt' },
    '한국.txt': { ascii: '__.txt', extended: '%ED%95%9C%EA%B5%AD.txt' },
    '🎉.gif': { ascii: '_.gif', extended: '%F0%9F%8E%89.gif' },
    "it's *(é)*!.txt": { ascii: "it's *(e)*!.txt", extended: 'it%27s%20%2A%28%C3%A9%29%2A!.txt' },
    'say "hi".txt': { ascii: 'say _hi_.txt', extended: 'say%20%22hi%22.txt' },
    'back\\slash.txt': { ascii: 'back_slash.txt', extended: 'back%5Cslash.txt' },
    '100%41.txt': { ascii: '100_41.txt', extended: '100%2541.txt' },
    '€ rates': { ascii: '_ rates', extended: '%E2%82%AC%20rates' },
  }),
)('any other name is in both parameters: %s', (name, { ascii, extended }) => {
  expect(contentDisposition('attachment', name)).toBe(
    `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`,
  );
});

test('no name breaks out of the header', () => {
  for (const name of [
    'a\r\nSet-Cookie: x=1',
    'a\0b',
    'a\tb',
    '\u2028',
    '\ud800x',
    'x\udfff',
    '"',
    '',
  ]) {
    const header = contentDisposition('attachment', name);
    expect(header).toMatch(
      /^attachment; filename="[^"\\%\r\n]*"(; filename\*=UTF-8''[\w%.!~-]*)?$/,
    );
  }
});

test('every character survives in the extended parameter', () => {
  const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCodePoint(code)).join('');
  const extended = contentDisposition('inline', all).split("UTF-8''")[1];
  // RFC 8187 §3.2.1: attr-char and pct-encoded.
  expect(extended).toMatch(/^(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+$/);
  expect(decodeURIComponent(extended!)).toBe(all);
});
