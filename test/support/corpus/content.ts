import { gzipSync } from 'node:zlib';
import { fixtureBytes } from '../bytes.ts';
import { type CorpusFile, type Row, toFiles } from './file.ts';

const OOXML = 'application/vnd.openxmlformats-officedocument.';
const fixture = (name: string, verdict: string): Row => [name, fixtureBytes(name), verdict];
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
const compound = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]);
const pdf = fixtureBytes('document.pdf');
const docx = fixtureBytes('report.docx');

/** Returns files of all families but images, and files at the edge. */
export function otherFiles(): CorpusFile[] {
  return [
    ...toFiles('document', DOCUMENTS),
    ...toFiles('archive', ARCHIVES),
    ...toFiles('sound', SOUNDS),
    ...toFiles('video', VIDEOS),
    ...toFiles('text', TEXTS),
    ...toFiles('script', SCRIPTS),
    ...toFiles('markup', MARKUP),
    ...toFiles('program', PROGRAMS),
    ...toFiles('edge', EDGES),
  ];
}

const DOCUMENTS: readonly Row[] = [
  ['a.pdf', pdf, 'doc application/pdf'],
  ['late.pdf', Buffer.concat([Buffer.from('\r\n'), pdf]), 'doc application/pdf'],
  ['cut.pdf', pdf.subarray(0, 100), 'doc application/pdf'],
  ['a.docx', docx, `file ${OOXML}wordprocessingml.document`],
  ['a.docm', docx, 'file application/vnd.ms-word.document.macroenabled.12'],
  ['cut.docx', docx.subarray(0, 500), 'file application/zip'],
  fixture('sheet.ods', 'file application/vnd.oasis.opendocument.spreadsheet'),
  ['a.rtf', '{\\rtf1\\ansi Text}', 'file application/rtf'],
  ['a.doc', compound, 'file application/msword'],
  ['a.xls', compound, 'file application/vnd.ms-excel'],
  ['a.ppt', compound, 'file application/vnd.ms-powerpoint'],
  ['a.cfb', compound, 'file application/x-cfb'],
];

const ARCHIVES: readonly Row[] = [
  fixture('archive.zip', 'file application/zip'),
  ['comic.cbz', fixtureBytes('archive.zip'), 'file application/vnd.comicbook+zip'],
  ['cut.zip', fixtureBytes('archive.zip').subarray(0, 60), 'file application/zip'],
  ['a.tar.gz', gzipSync('text'), 'file application/gzip'],
  ['a.svgz', gzipSync('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'file application/gzip'],
  ['a.7z', Buffer.from('377abcaf271c00040000', 'hex'), 'file application/x-7z-compressed'],
];

const SOUNDS: readonly Row[] = [
  fixture('sound.mp3', 'audio audio/mpeg'),
  fixture('sound.ogg', 'audio audio/ogg'),
  fixture('sound.weba', 'audio audio/webm'),
  ['a.flac', latin1(`fLaC\0\0\0\x22${'\0'.repeat(60)}`), 'audio audio/flac'],
  ['a.wav', latin1(`RIFF\x24\0\0\0WAVEfmt \x10\0\0\0${'\0'.repeat(40)}`), 'audio audio/wav'],
  ['a.mid', latin1(`MThd\0\0\0\x06\0\x01\0\x01${'\0'.repeat(40)}`), 'audio audio/midi'],
  ['cut.mp3', fixtureBytes('sound.mp3').subarray(0, 200), 'audio audio/mpeg'],
];

const VIDEOS: readonly Row[] = [
  fixture('clip.mp4', 'video video/mp4'),
  fixture('clip.webm', 'video video/webm'),
  ['cut.mp4', fixtureBytes('clip.mp4').subarray(0, 500), 'video video/mp4'],
  ['a.avi', latin1(`RIFF\x24\0\0\0AVI LIST${'\0'.repeat(40)}`), 'video video/vnd.avi'],
  ['a.flv', latin1(`FLV\x01\x05\0\0\0\x09${'\0'.repeat(40)}`), 'video video/x-flv'],
  ['nothing-known.mov', Buffer.from([1, 2, 3, 4]), 'file application/octet-stream'],
];

const TEXTS: readonly Row[] = [
  fixture('note.txt', 'file text/plain'),
  fixture('table.csv', 'file text/csv'),
  ['mark.txt', '\ufeffGrüße', 'file text/plain'],
  ['utf16.txt', utf16('Grüße'), 'file text/plain'],
  ['latin1.csv', latin1('Größe;Preis\n'), 'file text/csv'],
  ['latin1.bin', latin1('Größe;Preis\n'), 'file text/plain'],
  ['a.tsv', 'a\tb\n', 'file text/tab-separated-values'],
  ['a.md', '# Title\n', 'file text/markdown'],
  ['tag-first.md', '<h1 align="center">Title</h1>\n\nText', 'file text/markdown'],
  ['svg-first.md', '<svg xmlns="http://www.w3.org/2000/svg"/>\n\nText', 'file text/markdown'],
  ['page.txt', '<!doctype html><title>Source</title>', 'file text/plain'],
  ['a.vue', '<script setup>\nconst a = 1\n</script>\n', 'file text/plain'],
  ['a.json', '{"a": 1}', 'file application/json'],
  ['a.geojson', '{"type": "FeatureCollection"}', 'file application/geo+json'],
  ['a.yaml', 'a: 1\n', 'file application/yaml'],
  ['master.m3u8', '#EXTM3U\n240p.m3u8\n', 'file application/vnd.apple.mpegurl'],
  ['a.srt', '1\n00:00:01,000 --> 00:00:02,000\nHi\n', 'file application/x-subrip'],
  ['a.vtt', 'WEBVTT\n\n', 'file text/vtt'],
  ['a.vcf', 'BEGIN:VCARD\nEND:VCARD\n', 'file text/vcard'],
  ['plan.dxf', '  0\nSECTION\n  2\nHEADER\n', 'file text/plain'],
  ['icon.xbm', '#define icon_width 8\n', 'file text/plain'],
  ['a.ps', '%!PS-Adobe-3.0\n', 'file application/postscript'],
];

const SCRIPTS: readonly Row[] = [
  ['a.sh', '#!/bin/sh\necho 1\n', 'file text/plain'],
  ['a.py', '#!/usr/bin/env python3\nprint(1)\n', 'file text/plain'],
  ['a.ts', '#!/usr/bin/env node\nexport const a: number = 1;\n', 'file text/plain'],
  ['a.js', 'alert(1)\n', 'file text/plain'],
  ['a.bat', '@echo off\r\n', 'file text/plain'],
  ['a.php', '<?php echo 1;\n', 'file text/plain'],
  ['script.txt', '#!/bin/sh\necho 1\n', 'file text/plain'],
  ['words.png', 'alert(1)\n', 'file text/plain'],
];

const MARKUP: readonly Row[] = [
  fixture('page.html', 'file text/html'),
  ['a.xhtml', '<html xmlns="http://www.w3.org/1999/xhtml"/>', 'file text/html'],
  ['no-name', '<!doctype html><script>1</script>', 'file text/html'],
  fixture('drawing.svg', 'vector image/svg+xml'),
  fixture('drawing-with-script.svg', 'vector image/svg+xml'),
  ['a.xml', '<?xml version="1.0"?><a/>', 'file application/xml'],
  ['a.gpx', '<?xml version="1.0"?><gpx/>', 'file application/xml'],
  ['flat.doc', '<?xml version="1.0"?><w:wordDocument/>', 'file application/xml'],
];

const PROGRAMS: readonly Row[] = [
  ['a.exe', latin1(`MZ\x90\0\x03${'\0'.repeat(100)}`), 'file application/x-msdownload'],
  ['a.elf', latin1(`\x7fELF\x02\x01\x01${'\0'.repeat(100)}`), 'file application/x-elf'],
  ['a.wasm', latin1(`\0asm\x01\0\0\0`), 'file application/wasm'],
];

const EDGES: readonly Row[] = [
  ['empty.png', '', null],
  ['empty.txt', '', null],
  ['one.txt', 'x', 'file text/plain'],
  ['zero.bin', Buffer.alloc(1), 'file application/octet-stream'],
  ['zero.png', Buffer.alloc(1), 'file application/octet-stream'],
  ['high.jpg', Buffer.from([0xff]), 'file application/octet-stream'],
  ['gif-and-script.gif', latin1('GIF89a/*\x01\0\0\0*/=1;alert(1)//'), 'file image/gif'],
  ['pdf-and-page.pdf', `%PDF-1.4\n<script>1</script>\n`, 'doc application/pdf'],
  ['pdf-and-zip.pdf', Buffer.concat([pdf, fixtureBytes('archive.zip')]), 'doc application/pdf'],
  [
    'png-and-page.png',
    Buffer.concat([fixtureBytes('picture.png'), Buffer.from('<html><script>')]),
    'image image/png',
  ],
  [
    'jpeg-and-zip.jpg',
    Buffer.concat([fixtureBytes('photo-with-exif-rotation.jpg'), fixtureBytes('archive.zip')]),
    'image image/jpeg',
  ],
];
