import { fixtureBytes } from '../bytes.ts';
import type { CorpusFile } from './file.ts';

interface Claims {
  bytes: Buffer;
  verdict: string;
  /** The names and declared types that it is refused with. */
  refused: readonly string[];
  /** It is sent under a few names only, and with no declared type. */
  isBrief?: true;
  /** The verdict under a name that is safer than the content says. */
  safer?: Readonly<Record<string, string>>;
}

/** Extensions and declared types that each content is sent with. */
const NAMES = ['png', 'pdf', 'mp4', 'docx', 'txt', 'svg', 'html', 'exe', 'php'];
const TYPES = [
  ...['image/png', 'video/mp2t', 'image/vnd.dxf', 'application/pdf', 'text/html'],
  ...['image/svg+xml', 'text/javascript'],
];

const BRIEF_NAMES = ['png', 'svg', 'html', 'exe'];

const SHOWN = ['png', 'pdf', 'mp4', 'docx'];
const SHOWN_TYPES = ['image/png', 'image/vnd.dxf', 'application/pdf'];
const RUN = ['svg', 'html', 'exe', 'php'];
const RUN_TYPES = ['text/html', 'image/svg+xml', 'text/javascript'];
const ANY_SHOWN = [...SHOWN, ...SHOWN_TYPES];
const ANY_RUN = [...RUN, ...RUN_TYPES];

/** What may claim to be what. Only what is dangerous to confuse is refused. */
const CONTENTS: Readonly<Record<string, Claims>> = {
  PNG: { bytes: fixtureBytes('picture.png'), verdict: 'image image/png', refused: ANY_RUN },
  'damaged PNG': {
    bytes: fixtureBytes('truncated.png'),
    verdict: 'file image/png',
    isBrief: true,
    refused: ANY_RUN,
  },
  BMP: {
    bytes: Buffer.from(`424d46000000000000003600000028000000${'00'.repeat(60)}`, 'hex'),
    verdict: 'file image/bmp',
    isBrief: true,
    refused: ANY_RUN,
  },
  MP4: {
    bytes: fixtureBytes('clip.mp4'),
    verdict: 'video video/mp4',
    isBrief: true,
    refused: ANY_RUN,
  },
  PDF: {
    bytes: fixtureBytes('document.pdf'),
    verdict: 'doc application/pdf',
    isBrief: true,
    refused: ANY_RUN,
  },
  ZIP: {
    bytes: fixtureBytes('archive.zip'),
    verdict: 'file application/zip',
    isBrief: true,
    refused: [],
  },
  'plain text': { bytes: fixtureBytes('note.txt'), verdict: 'file text/plain', refused: [] },
  'unknown bytes': {
    bytes: Buffer.from([1, 2, 3]),
    verdict: 'file application/octet-stream',
    isBrief: true,
    refused: [],
  },
  'a page': {
    bytes: fixtureBytes('page.html'),
    verdict: 'file text/html',
    refused: [...ANY_SHOWN, 'svg', 'image/svg+xml'],
    safer: { txt: 'file text/plain', php: 'file text/plain' },
  },
  'a drawing': {
    bytes: fixtureBytes('drawing.svg'),
    verdict: 'vector image/svg+xml',
    refused: ANY_SHOWN,
    safer: { txt: 'file text/plain', php: 'file text/plain' },
  },
  'a script': {
    bytes: Buffer.from('#!/bin/sh\necho 1\n'),
    verdict: 'file text/plain',
    refused: [...ANY_SHOWN, 'svg', 'image/svg+xml'],
  },
  'a program': {
    bytes: Buffer.from(`MZ\x90\0\x03${'\0'.repeat(100)}`, 'latin1'),
    verdict: 'file application/x-msdownload',
    refused: [...ANY_SHOWN, 'txt', 'svg', 'image/svg+xml'],
  },
};

/** Returns each content under each extension, and with each declared type. */
export function claimedFiles(): CorpusFile[] {
  return Object.entries(CONTENTS).flatMap(([what, { bytes, verdict, refused, isBrief, safer }]) => [
    ...(isBrief ? BRIEF_NAMES : NAMES).map((extension) => ({
      what: `${what} called .${extension}`,
      filename: `a.${extension}`,
      declared: '',
      bytes,
      verdict: refused.includes(extension) ? null : (safer?.[extension] ?? verdict),
    })),
    ...(isBrief ? [] : TYPES).map((declared) => ({
      what: `${what} declared ${declared}`,
      filename: 'a.bin',
      declared,
      bytes,
      verdict: refused.includes(declared) ? null : verdict,
    })),
  ]);
}
