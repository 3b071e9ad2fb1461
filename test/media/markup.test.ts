import { describe, expect, it } from 'vitest';
import { sniffFile } from '../../src/media/sniff.ts';
import { withFile } from '../support/temporary-file.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>';

describe('SVG is detected', () => {
  it.each([
    ['bare', SVG],
    ['after white space', `\r\n\t ${SVG}`],
    ['after a byte order mark and a prolog', `\ufeff<?xml version="1.0"?>${SVG}`],
    ['after comments', `<!-- <html> --><!-- - -->${SVG}`],
    ['after a stylesheet', `<?xml version="1.0"?><?xml-stylesheet href="a.css"?>${SVG}`],
    ['after a DOCTYPE', `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">${SVG}`],
    [
      'after a DOCTYPE with an internal subset',
      `<!DOCTYPE x [<!ENTITY a "]>"><!-- ]> ' --><!ENTITY b ']>'>]>${SVG}`,
    ],
    ['with a prefix', '<s:svg xmlns:s="http://www.w3.org/2000/svg"/>'],
    ['in capitals', SVG.replace('svg', 'SVG')],
    ['with attributes on the next line', '<svg\nwidth="1"/>'],
  ])('%s', async (_, content) => {
    expect(await sniff(content, 'drawing')).toMatchObject({
      kind: 'vector',
      mimeType: 'image/svg+xml',
    });
  });

  it.each(['utf16le', 'swapped', 'latin1'] as const)('in the encoding %s', async (encoding) => {
    const text = `<!-- é -->${SVG}`;
    const little = Buffer.from(`\ufeff${text}`, 'utf16le');
    const bytes = { utf16le: little, swapped: Buffer.from(little).swap16() };
    const content = encoding === 'latin1' ? Buffer.from(text, 'latin1') : bytes[encoding];
    expect((await sniff(content)).kind).toBe('vector');
  });
});

describe('markup', () => {
  it.each([
    ['<!doctype HTML><p>', 'text/html'],
    ['\n<script>alert(1)</script>', 'text/html'],
    ['<IMG src=x onerror=alert(1)>', 'text/html'],
    ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', 'text/html'],
    ['<?xml version="1.0"?><note/>', 'application/xml'],
    ['<?xml version="1.0"?><article><title>Of DocBook</title></article>', 'application/xml'],
    ['<?xml version="1.0"?>', 'application/xml'],
    ['<!DOCTYPE note><note/>', 'application/xml'],
    ['<rss xmlns:a="b">', 'application/xml'],
    ['<svgx/>', 'text/plain'],
    ['<anna> hello', 'text/plain'],
    ['a < b and <svg> too', 'text/plain'],
    ['<!-- markdownlint-disable -->\n# Title', 'text/plain'],
  ])('%j is %s', async (content, mimeType) => {
    expect((await sniff(content)).mimeType).toBe(mimeType);
  });

  it.each([
    ['a comment', `<!--${' '.repeat(1e6)}-->${SVG}`, 'text/html'],
    [
      'a comment after a prolog',
      `<?xml version="1.0"?><!--${' '.repeat(1e6)}-->`,
      'application/xml',
    ],
    ['a DOCTYPE', `<!DOCTYPE svg [${'<!ENTITY a "b">'.repeat(1e5)}]>${SVG}`, 'application/xml'],
    ['a quote', `<!DOCTYPE svg "${'x'.repeat(1e6)}">${SVG}`, 'application/xml'],
  ])(
    'counts as active content after %s that does not end within the bytes read',
    async (_, content, mimeType) => {
      expect((await sniff(content, 'note')).mimeType).toBe(mimeType);
    },
  );
});

function sniff(content: string | Uint8Array, filename?: string) {
  return withFile(content, (path) => sniffFile(path, filename === undefined ? {} : { filename }));
}
