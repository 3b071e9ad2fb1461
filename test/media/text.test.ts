import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { contentType } from '../../src/http/file/charset.ts';
import { decodeUnicode } from '../../src/lib/unicode-text.ts';
import { sniffFile } from '../../src/media/sniff.ts';
import { withFile } from '../support/temporary-file.ts';

const RUSSIAN = 'Привет, мир! Это текст.\r\n';
const JAPANESE = '日本語の文章です。\n一行目';

/** Bytes of texts in old encodings, as programs of their time wrote them. */
const OLD: Record<string, Buffer> = {
  'windows-1251': bytes('cff0e8e2e5f22c20ece8f02120ddf2ee20f2e5eaf1f22e0d0a'),
  'windows-1252': bytes('4772f6df653b507265697320969320807c94'),
  Shift_JIS: bytes('93fa967b8cea82cc95b68fcd82c582b781420a'),
  'EUC-JP': bytes('c6fccbdcb8eca4cecab8bef0a4c7a4b9a1a30a'),
  'ISO-2022-JP': bytes('1b24424c54455138461b28420a'),
  GB18030: bytes('bac3b5c4ced2b5c4cec4d7d60a'),
  'EUC-KR': bytes('c7d1b1b9bee5b9aebcad0a'),
  'KOI8-R': bytes('f0d2c9d7c5d42c20cdc9d2210a'),
  MacRoman: bytes('436166 8e20 6574 20 70 89 74 8e 0d'),
  'a text of DOS': bytes('48656c6c6f20 81 0d0a 1a'),
};

const UNICODE: Record<string, [bytes: Buffer, charset: string | null]> = {
  'UTF-8': [Buffer.from(RUSSIAN), 'utf-8'],
  'UTF-8 with a mark': [Buffer.from(`\ufeff${RUSSIAN}`), 'utf-8'],
  'UTF-16LE': [utf16(RUSSIAN), 'utf-16le'],
  'UTF-16BE': [utf16(RUSSIAN).swap16(), 'utf-16be'],
  'UTF-16LE in Japanese': [utf16(JAPANESE), 'utf-16le'],
  'UTF-16BE in Japanese': [utf16(JAPANESE).swap16(), 'utf-16be'],
  'UTF-16LE in English': [utf16('a,b\n1,2\n'), 'utf-16le'],
  'UTF-16BE in English': [utf16('a,b\n1,2\n').swap16(), 'utf-16be'],
  // The mark says it: browsers look for it.
  'UTF-16LE with a mark': [utf16(`\ufeff${RUSSIAN}`), null],
  'UTF-16BE with a mark': [utf16(`\ufeff${RUSSIAN}`).swap16(), null],
  // Browsers do not know it.
  'UTF-32LE': [utf32(RUSSIAN), null],
  'UTF-32BE': [utf32(RUSSIAN).swap32(), null],
  'UTF-32LE with a mark': [utf32(`\ufeff${RUSSIAN}`), null],
  'UTF-32BE with a mark': [utf32(`\ufeff${JAPANESE}`).swap32(), null],
};

const NAMES = {
  'a.txt': 'text/plain',
  'a.csv': 'text/csv',
  'a.md': 'text/markdown',
  'a.srt': 'application/x-subrip',
  'a.yml': 'application/yaml',
  'a.html': 'text/plain',
  'a.ini': 'text/plain',
  a: 'text/plain',
};

describe.each(Object.entries(NAMES))('text named %s', (filename, mimeType) => {
  it.each(Object.entries({ ...OLD, ...UNICODE }))('is text in %s', async (_, content) => {
    const all = Buffer.isBuffer(content) ? content : content[0];
    expect((await sniff(all, filename)).mimeType).toBe(mimeType);
  });

  it('is text if it is longer than what is looked at', async () => {
    for (const content of [...Object.values(OLD), ...Object.values(UNICODE).map(([all]) => all)]) {
      const once = content === OLD['a text of DOS'] ? content.subarray(0, -1) : content;
      const long = Buffer.concat(Array(Math.ceil(70_000 / once.length)).fill(once));
      expect((await sniff(long, filename)).mimeType).toBe(mimeType);
    }
  });
});

describe('the charset of a text', () => {
  it.each(Object.entries(UNICODE))('is said if it is known: %s', async (_, [content, charset]) => {
    const type = charset === null ? 'text/plain' : `text/plain; charset=${charset}`;
    expect(await served(content)).toBe(type);
  });

  it.each(Object.entries(OLD))('is left to the browser: %s', async (name, content) => {
    const isAscii = name === 'ISO-2022-JP';
    expect(await served(content)).toBe(isAscii ? 'text/plain; charset=utf-8' : 'text/plain');
  });
});

describe.each([
  ['UTF-16LE', utf16],
  ['UTF-16BE', (text: string) => utf16(text).swap16()],
  ['UTF-32LE', utf32],
  ['UTF-32BE', (text: string) => utf32(text).swap32()],
])('in %s without a mark', (_, encode) => {
  it.each([
    ['a page', '<html><script>alert(1)</script></html>', 'a.html', 'text/html'],
    // As in UTF-8: the name is the safer of the two.
    ['a note that begins like a page', '<!DOCTYPE html><p>', 'a.txt', 'text/plain'],
    ['a drawing', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'a.svg', 'image/svg+xml'],
    ['a playlist', '#EXTM3U\na.mp3\n', 'a.txt', 'application/vnd.apple.mpegurl'],
  ])('%s is what it is', async (_, text, filename, mimeType) => {
    expect((await sniff(encode(text), filename)).mimeType).toBe(mimeType);
  });
});

describe('binary data is no text', () => {
  it.each([
    ['samples of 16 bits', Buffer.from(new Int16Array([0, 5, 9, 12, 9, 5, 0, -5, -9]).buffer)],
    ['numbers of 16 bits', Buffer.from(new Uint16Array([1, 2, 3, 500, 70, 80]).buffer)],
    ['numbers of 32 bits', Buffer.from(new Uint32Array([1, 2, 3, 500, 70_000]).buffer)],
    ['NULs', Buffer.alloc(64)],
    ['half a surrogate pair', bytes('61003dd80a00')],
    ['characters that are not assigned', bytes('610078030a00')],
    ['UTF-32 past its end', bytes('6100000000001100')],
    ['a letter and a NUL', bytes('6100')],
  ])('%s', async (_, content) => {
    for (const filename of ['a.bin', 'a.txt']) {
      expect((await sniff(content, filename)).mimeType).toBe('application/octet-stream');
    }
  });
});

it('a binary format counts before UTF-16 without a mark, which its bytes may also be', async () => {
  const gif = Buffer.concat([
    Buffer.from('GIF89a'),
    bytes('3c002800f700 2030'),
    Buffer.alloc(99, 0xa5),
  ]);
  const hint = { isWhole: false, isText: false, mayBeWide: true };
  expect(decodeUnicode(gif, hint)).not.toBeNull();
  expect((await sniff(gif, 'a.gif')).mimeType).toBe('image/gif');
});

function sniff(content: Buffer, filename: string) {
  return withFile(content, (path) => sniffFile(path, { filename }));
}

async function served(content: Buffer): Promise<string> {
  const read = async () => Readable.from([content.subarray(0, 3), content.subarray(3)]);
  return contentType({ mimeType: 'text/plain', sizeBytes: content.length }, read);
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

function utf32(text: string): Buffer {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  return Buffer.from(new Uint32Array(codes).buffer);
}
