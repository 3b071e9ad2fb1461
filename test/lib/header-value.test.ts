import { expect, test } from 'vitest';
import { headerText, parseFilename } from '../../src/lib/header-value.ts';

/** Returns the bytes as Node presents a header. */
const received = (bytes: Buffer) => bytes.toString('latin1');

test.each([
  ['ASCII', Buffer.from('a.txt'), 'a.txt'],
  ['UTF-8', Buffer.from('né €.txt'), 'né €.txt'],
  ['ISO 8859-1', Buffer.from('n\xe9.txt', 'latin1'), 'n\xe9.txt'],
  ['nothing', Buffer.alloc(0), ''],
])('a header in %s is read as such', (_what, bytes, text) => {
  expect(headerText(received(bytes))).toBe(text);
});

test.each([
  ["attachment; filename=a.txt; filename*=UTF-8''%E2%82%AC.txt", '€.txt'],
  ["attachment; filename*=iso-8859-1'en'n%E9.txt; filename=a.txt", 'né.txt'],
  ["attachment; filename*=martian''y; filename=a.txt", 'a.txt'],
  ["attachment; filename*=UTF-8''%FF; filename=a.txt", 'a.txt'],
  ["attachment; filename*=UTF-8''50%; filename=a.txt", 'a.txt'],
  ['attachment; filename="C:\\photos\\a.jpg"', 'a.jpg'],
  ['attachment; filename="a \\"b\\".txt"', 'a "b".txt'],
  ['attachment; FILENAME = a b.txt ; x=y', 'a b.txt'],
  ['attachment; filename="open.png', 'open.png'],
  ['attachment; filename="open.png ; x=y', 'open.png'],
  ['attachment; filename="a; b.png', 'a; b.png'],
  ['attachment; filename="', ''],
  ['inline', null],
])('the file name in %s is %s', (disposition, filename) => {
  expect(parseFilename(disposition)).toBe(filename);
});
