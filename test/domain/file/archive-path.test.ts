import { expect, test } from 'vitest';
import { createArchivePaths } from '../../../src/domain/file/archive-path.ts';

const file = (name: string) => createArchivePaths().file('', name);

test.each([
  ['photo.jpg', 'photo.jpg'],
  ['Größe 東京.png', 'Größe 東京.png'],
  ['Cafe\u0301.txt', 'Caf\u00e9.txt'],
  ['.gitignore', '.gitignore'],
  ['../../etc/passwd', '._.._etc_passwd'],
  ['/etc/passwd', '_etc_passwd'],
  ['..\\..\\boot.ini', '._.._boot.ini'],
  ['C:\\boot.ini', 'C__boot.ini'],
  ['a\0b\nc\x7f.txt', 'abc.txt'],
  ['what?.txt', 'what_.txt'],
  ['CON', '_CON'],
  ['nul.txt', '_nul.txt'],
  ['com1.tar.gz', '_com1.tar.gz'],
  ['console.log', 'console.log'],
  ['ends with dots...', 'ends with dots'],
  ['ends with space .', 'ends with space'],
  ['...', 'file'],
  ['', 'file'],
])('the name %j becomes %j', (name, expected) => {
  expect(file(name)).toBe(expected);
});

test('names are unique, also on systems that ignore case', () => {
  const paths = createArchivePaths();
  const names = ['a.png', 'A.PNG', 'a (2).png', 'a.png', 'é.txt', 'E\u0301.txt', 'a', 'A'];
  expect(names.map((name) => paths.file('', name))).toEqual([
    'a.png',
    'A (2).PNG',
    'a (2) (2).png',
    'a (3).png',
    'é.txt',
    'É (2).txt',
    'a',
    'A (2)',
  ]);
});

test('a file and a directory do not share a name, and each directory has its own names', () => {
  const paths = createArchivePaths();
  expect(paths.file('', 'a')).toBe('a');
  const [first, second] = [paths.directory('', 'A'), paths.directory('', 'a')];
  expect([first, second]).toEqual(['A (2)/', 'a (3)/']);
  expect([paths.file(first, 'x'), paths.file(second, 'x')]).toEqual(['A (2)/x', 'a (3)/x']);
  expect(paths.directory(first, '..')).toBe('A (2)/folder/');
});

test('a long name keeps its extension, and the room for its number', () => {
  const paths = createArchivePaths();
  const name = `${'é'.repeat(200)}.png`;
  const [first, second] = [paths.file('', name), paths.file('', name)];
  for (const path of [first, second]) expect(Buffer.byteLength(path)).toBeLessThanOrEqual(255);
  expect(second).toMatch(/^é+ \(2\)\.png$/);
});

test('many equal names take no longer than others', () => {
  const paths = createArchivePaths();
  const names = Array.from({ length: 20_000 }, () => paths.file('', 'a.png'));
  expect(new Set(names).size).toBe(20_000);
  expect(names.at(-1)).toBe('a (20000).png');
});
