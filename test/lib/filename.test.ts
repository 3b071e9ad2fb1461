import { describe, expect, it } from 'vitest';
import { cleanFilename, fileExtension, urlFilename } from '../../src/lib/filename.ts';
import { cpuMs } from '../support/cpu-time.ts';

const FAMILY = '👨‍👩‍👧‍👦';
const ENGLAND = '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}';

/** Pieces of random names, chosen because they interact with each other. */
const PIECES = [
  ...[
    'a',
    'Z',
    '1',
    '.',
    '.',
    ' ',
    '-',
    '/',
    '\\',
    '_',
    '"',
    '#',
    '\0',
    '\n',
    'é',
    'å',
    '日',
    '한',
  ],
  ...['\u200c', '\u200d', '\ufe0f', '\u202e', '\u2066', '\u0301', '\u0327', '\u0345', '\u1160'],
  ...['\u3164', '\u00a0', '\u212a', '\u2028', '👨', '\u{1f3f4}', '\u{e0067}', '\u{e007f}'],
  ...['\ud800', '\udc00', 'İ', 'ß'],
];

describe('cleanFilename', () => {
  it.each([
    ['photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\x\\y.png', 'y.png'],
    ['/srv/a\\b/c.txt', 'c.txt'],
    [' . a b . ', 'a b'],
    ['.htaccess', '.htaccess'],
    ['\u200b.gitignore', '.gitignore'],
    ['...env', '.env'],
    ['.env.local', '.env.local'],
    ['. .a', '.a'],
    ['a\0.png', 'a.png'],
    ['a\r\nSet-Cookie: x.png', 'aSet-Cookie: x.png'],
    ['CON', 'CON'],
    ['résumé "1" 日.pdf', 'résumé "1" 日.pdf'],
    ['e\u0301.txt', '\u00e9.txt'],
  ])('%j becomes %j', (raw, clean) => {
    expect(cleanFilename(raw)).toBe(clean);
  });

  it.each([
    ...['.png', '\u200b.png', '\u3164.png', ' .png', '\u2800.png', '..png', '\0.png', 'a/.png'],
    ...['\u202e\u202c.png', '\ufeff\u3164 .png', '.\u200bpng', '.png.'],
  ])('a stem that shows nothing is replaced: %j', (raw) => {
    expect(cleanFilename(raw)).toBe('image.png');
  });

  it.each([
    ['.JPG', 'image.JPG'],
    ['.svg', 'vector.svg'],
    ['.mp4', 'video.mp4'],
    ['\u3164.mp3', 'audio.mp3'],
    ['.pdf', 'pdf.pdf'],
    ['.docx', 'document.docx'],
  ])('the stem tells the kind of a file: %j becomes %j', (raw, clean) => {
    expect(cleanFilename(raw)).toBe(clean);
  });

  it.each(['folder/', '..', '...', ''])('%j becomes empty', (raw) => {
    expect(cleanFilename(raw)).toBe('');
  });

  it.each(
    Object.entries({
      'a bidi override': ['a\u202Egnp.exe', 'agnp.exe'],
      'isolates and marks': ['\u2066a\u2069\u200f.p\u061cng', 'a.png'],
      'zero-width space, joiner, BOM and soft hyphen': ['a.\u200bp\u200dn\ufeffg\u00ad', 'a.png'],
      'a variation selector on a letter': ['a.p\ufe0fng', 'a.png'],
      'blanks that are letters': ['a.txt\u3164\u115f.exe', 'a.txt.exe'],
      tags: ['a\u{e0074}\u{e0078}\u{e0074}.exe', 'a.exe'],
      'line separators': ['a\u2028b\u2029.txt', 'ab.txt'],
    }),
  )('removes invisible characters: %s', (_, [raw = '', clean]) => {
    expect(cleanFilename(raw)).toBe(clean);
  });

  it.each([
    ['an emoji of several code points', `${FAMILY}.png`],
    ['a flag of tags', `${ENGLAND}.png`],
    ['a keycap', '1\ufe0f\u20e3.txt'],
    ['Persian with a non-joiner', 'می\u200cخواهم.txt'],
    ['Arabic, Hebrew, Thai and Han', 'ملف שם ไฟล์ 文件.doc'],
  ])('keeps characters that the writing needs: %s', (_, name) => {
    expect(cleanFilename(name)).toBe(name);
  });

  it('replaces lone surrogates, which UTF-8 cannot carry', () => {
    expect(cleanFilename('a\ud800b\udc00.txt')).toBe('a\ufffdb\ufffd.txt');
  });

  it('cuts a long name to 255 bytes and keeps its extension', () => {
    expect(cleanFilename(`${'x'.repeat(10_000)}.jpeg`)).toBe(`${'x'.repeat(250)}.jpeg`);
    expect(cleanFilename(`${'日'.repeat(10_000)}.pdf`)).toBe(`${'日'.repeat(83)}.pdf`);
  });

  it('does not treat a very long suffix as an extension', () => {
    expect(cleanFilename(`a.${'b'.repeat(10_000)}`)).toBe(`a.${'b'.repeat(253)}`);
  });

  // A family takes 25 bytes and the extension 4: ten families leave 1 of the 255 bytes.
  it.each([
    [0, 10],
    [1, 10],
    [2, 9],
    [12, 9],
    [24, 9],
  ])('cuts between graphemes, not inside one (after %i bytes, %i of them stay)', (shift, count) => {
    const name = cleanFilename(`${'x'.repeat(shift)}${FAMILY.repeat(12)}.png`);
    expect(name).toBe(`${'x'.repeat(shift)}${FAMILY.repeat(count)}.png`);
  });

  it('cuts a single grapheme that is longer than the limit', () => {
    const name = cleanFilename(`a${'\u0301\u0327'.repeat(400)}.png`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    expect(name).toMatch(/^á\u0327.*\.png$/u);
  });

  it('handles ten million combining marks in less than a second', () => {
    const name = `${'\u0301\u0327'.repeat(5_000_000)}.png`;
    expect(cpuMs(() => cleanFilename(name))).toBeLessThan(1000);
  });
});

describe('a random name of awkward pieces', () => {
  const names = Array.from({ length: 20_000 }, (_, seed) => randomName(seed));

  it('is short, well-formed, composed and free of separators once cleaned', () => {
    for (const name of names.map(cleanFilename)) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(name).toBe(name.toWellFormed().normalize('NFC'));
      expect(name).not.toMatch(/[/\\\p{Cc}]|^ |^\.[. ]|[. ]$/u);
    }
  });

  it('is not changed by a second cleaning', () => {
    for (const name of names.map(cleanFilename)) expect(cleanFilename(name)).toBe(name);
  });

  it('becomes a URL segment that needs no escaping and names no folder', () => {
    for (const name of names.map(urlFilename)) {
      expect(name).toMatch(/^[a-z0-9_](?:[a-z0-9_.-]{0,98}[a-z0-9_])?$/);
      expect(name).not.toContain('..');
      expect(encodeURIComponent(name)).toBe(name);
      expect(urlFilename(name)).toBe(name);
    }
  });
});

describe('fileExtension', () => {
  it.each([
    ['photo.JPG', 'jpg'],
    ['archive.tar.gz', 'gz'],
    ['отчёт.ДОК', 'док'],
    ['C:\\v1.d\\file.txt', 'txt'],
    [`a.${'b'.repeat(19)}`, 'b'.repeat(19)],
  ])('the extension of %j is %j', (name, extension) => {
    expect(fileExtension(name)).toBe(extension);
  });

  it.each([
    ...['.htaccess', 'README', 'ends with a dot.', 'Mr. Smith', 'v1.d/file', ''],
    `a.${'b'.repeat(20)}`,
  ])('%j has no extension', (name) => {
    expect(fileExtension(name)).toBeNull();
  });
});

describe('urlFilename', () => {
  it.each(
    Object.entries({
      // From the contract.
      '18720470241_ff77768544_h.jpg': '18720470241_ff77768544_h.jpg',
      'han-solo.png': 'han-solo.png',
      'ÅØÜÆß.png': 'aaoeueaess.png',
      'A\u030aU\u0308.png': 'aaue.png',
      'ÄÖ.JPG': 'aeoe.jpg',
      'Żółć œuvre.png': 'zolc-oeuvre.png',
      'İstanbul.PNG': 'istanbul.png',
      'résumé "1" 日.pdf': 'resume-1.pdf',
      'a  -  b (1)!.png': 'a-b-1.png',
      'a..b.png': 'a.b.png',
      '日本.pdf': 'file.pdf',
      'a.日本': 'a',
      '100% & more?#x=1.txt': '100-more-x-1.txt',
      '../../etc/passwd': 'passwd',
      'C:\\x\\y.png': 'y.png',
      'a\u202Egnp.exe': 'agnp.exe',
      '.htaccess': 'htaccess',
    }),
  )('the URL form of %j is %j', (name, expected) => {
    expect(urlFilename(name)).toBe(expected);
  });

  it.each(['-.-', '..', ''])('the URL form of %j is "file"', (name) => {
    expect(urlFilename(name)).toBe('file');
  });

  it('has at most 100 characters including its extension, even where one letter becomes two', () => {
    expect(urlFilename(`${'x'.repeat(10_000)}.jpeg`)).toBe(`${'x'.repeat(95)}.jpeg`);
    expect(urlFilename(`${'ß'.repeat(99)}.jpeg`)).toBe(`${'s'.repeat(95)}.jpeg`);
  });
});

/** Returns a random name, usually short, sometimes over the limit; the same for the same seed. */
function randomName(seed: number): string {
  let state = seed + 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const length = next(10) === 0 ? 300 : next(12);
  return Array.from({ length }, () => PIECES[next(PIECES.length)]).join('');
}
