import { expect, it } from 'vitest';
import { parsePartHeader } from '../../../src/http/upload/part-header.ts';

it.each([
  ['filename="a "b" c.png"', 'a "b" c.png'],
  ['filename="Blåbær "x" 日.png"', 'Blåbær "x" 日.png'],
  ['filename="a "b"; c.png"', 'a "b"; c.png'],
  ['filename=""a""', '"a"'],
  ['filename="a \\"b\\".png"', 'a "b".png'],
  ['filename="a.png";', 'a.png'],
  ['filename = "a.png" ; size=1', 'a.png'],
  ['filename="a.png"; size="1"', 'a.png'],
  ['filename=a b.png', 'a b.png'],
  ['filename="a', 'a'],
  ["filename*0*=UTF-8''b%C3; filename*1*=%A9; filename*2=%.png", 'bé%.png'],
  ['filename*0="a b"; filename*1=.png', 'a b.png'],
  ["filename*=UTF-8''bé.png", 'bé.png'],
  ['filename*=b.png', 'b.png'],
  ['filename="a.png"; filename*="UTF-8\'\'b%C3%A9.png"', 'bé.png'],
])('%s names %s', (parameter, name) => {
  expect(parsePartHeader(`Content-Disposition: form-data; name=0; ${parameter}`)).toMatchObject({
    name: '0',
    filename: name,
  });
});

it.each([
  ['=?utf-8?B?QmzDpSBiw6ZyLnBuZw==?=', 'Blå bær.png'],
  ['=?UTF-8?b?QmzDpQ==?= =?utf-8?B?LnBuZw==?=', 'Blå.png'],
  // Two words that share the bytes of one character.
  ['=?utf-8?B?QmzD?= =?utf-8?B?pS5wbmc=?=', 'Blå.png'],
  ['=?utf-8?Q?Bl=C3=A5_b.png?=', 'Blå b.png'],
  ['=?iso-8859-1?q?Bl=E5.png?=', 'Blå.png'],
  ['=?utf-8*da?B?Qmw=?=', 'Bl'],
  ['=?utf-8?B?Li4vZXRjL3Bhc3N3ZA==?=', 'passwd'],
  ['=?utf-8?B?/w==?=', 'w==?='],
  ['=?x-none?B?Qmw=?=', '=?x-none?B?Qmw=?='],
  ['a =?utf-8?B?QmzD?=\t=?utf-8?B?pQ==?= b.png', 'a Blå b.png'],
  ['=?utf-8?q?caf=c3=a9 1?=.png', 'café 1.png'],
  ['a.png', 'a.png'],
])('the encoded words %s name %s', (filename, name) => {
  const header = `Content-Disposition: form-data; name=a; filename="${filename}"`;
  expect(parsePartHeader(header)?.filename).toBe(name);
});
