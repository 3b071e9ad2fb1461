import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sniffFile } from '../../src/media/sniff.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { fixture, withFile } from '../support/temporary-file.ts';

const OOXML = 'application/vnd.openxmlformats-officedocument.';
const CFB = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(512)]);

describe('each format', () => {
  it.each(
    Object.entries({
      'photo-with-exif-rotation.jpg': { kind: 'image', mimeType: 'image/jpeg', extension: 'jpg' },
      'picture.png': { kind: 'image', mimeType: 'image/png', extension: 'png' },
      'picture.webp': { kind: 'image', mimeType: 'image/webp', extension: 'webp' },
      'picture.avif': { kind: 'image', mimeType: 'image/avif', extension: 'avif' },
      'picture.heic': { kind: 'image', mimeType: 'image/heic', extension: 'heic' },
      'animation.gif': { kind: 'image', mimeType: 'image/gif', extension: 'gif' },
      'drawing.svg': { kind: 'vector', mimeType: 'image/svg+xml', extension: 'svg' },
      'drawing-with-script.svg': { kind: 'vector', mimeType: 'image/svg+xml', extension: 'svg' },
      'clip.mp4': { kind: 'video', mimeType: 'video/mp4', extension: 'mp4' },
      'clip.webm': { kind: 'video', mimeType: 'video/webm', extension: 'webm' },
      'sound.mp3': { kind: 'audio', mimeType: 'audio/mpeg', extension: 'mp3' },
      'sound.ogg': { kind: 'audio', mimeType: 'audio/ogg', extension: 'ogg' },
      'sound.weba': { kind: 'audio', mimeType: 'audio/webm', extension: 'weba' },
      'document.pdf': { kind: 'pdf', mimeType: 'application/pdf', extension: 'pdf' },
      'report.docx': {
        kind: 'document',
        mimeType: `${OOXML}wordprocessingml.document`,
        extension: 'docx',
      },
      'sheet.ods': {
        kind: 'document',
        mimeType: 'application/vnd.oasis.opendocument.spreadsheet',
        extension: 'ods',
      },
      'note.txt': { kind: 'document', mimeType: 'text/plain', extension: 'txt' },
      'page.html': { kind: 'other', mimeType: 'text/html', extension: 'html' },
      'archive.zip': { kind: 'other', mimeType: 'application/zip', extension: 'zip' },
    }),
  )('%s is detected without its filename', async (name, expected) => {
    expect(await sniffFile(fixture(name))).toEqual(expected);
  });
});

describe('the filename', () => {
  it.each([
    ['table.csv', fixture('table.csv'), 'text/csv', 'csv'],
    ['README.MD', fixture('note.txt'), 'text/markdown', 'md'],
    ['server.log', fixture('note.txt'), 'text/plain', 'log'],
    ['photo.jpeg', fixture('photo-with-exif-rotation.jpg'), 'image/jpeg', 'jpeg'],
    ['song.m4a', fixture('clip.mp4'), 'audio/mp4', 'm4a'],
    ['form.dotx', fixture('report.docx'), `${OOXML}wordprocessingml.template`, 'dotx'],
  ])(
    '%s refines the type within the family of the content',
    async (filename, path, mimeType, extension) => {
      expect(await sniffFile(path, { filename })).toMatchObject({ mimeType, extension });
    },
  );

  it.each([
    ['data.json', '{"a": 1}', 'application/json'],
    ['data.json', 'no JSON', 'text/plain'],
  ])('%s with the content %j is %s', async (filename, content, mimeType) => {
    expect((await sniff(content, filename)).mimeType).toBe(mimeType);
  });

  it.each([
    ['doc', 'application/msword', 'document'],
    ['xls', 'application/vnd.ms-excel', 'document'],
    ['ppt', 'application/vnd.ms-powerpoint', 'document'],
  ])('distinguishes the old office formats: .%s is %s', async (extension, mimeType, kind) => {
    expect(await sniff(CFB, `a.${extension}`)).toMatchObject({ mimeType, kind });
  });

  it.each(['msi', 'docx'])('does not take .%s for an old office format', async (extension) => {
    const expected = { mimeType: 'application/x-cfb', kind: 'other' };
    expect(await sniff(CFB, `a.${extension}`)).toMatchObject(expected);
  });

  it.each(['html', 'svg', 'xml', 'js', 'css', 'xhtml', 'png', 'jpg', 'pdf', 'docx', 'exe'])(
    'does not turn text into .%s',
    async (extension) => {
      const sniffed = await sniffFile(fixture('note.txt'), { filename: `note.${extension}` });
      expect(sniffed).toEqual({ mimeType: 'text/plain', extension: 'txt', kind: 'document' });
    },
  );

  it.each([
    ['page.html', 'photo.jpg', 'text/html'],
    ['drawing.svg', 'note.html', 'image/svg+xml'],
    ['archive.zip', 'report.docx', 'application/zip'],
    ['document.pdf', 'photo.png', 'application/pdf'],
    ['picture.png', 'page.html', 'image/png'],
  ])('does not hide the type of %s when it is named %s', async (name, filename, mimeType) => {
    expect((await sniffFile(fixture(name), { filename })).mimeType).toBe(mimeType);
  });
});

describe('text', () => {
  it.each([
    'BMW and Audi',
    'GIFs are pictures',
    'ID3 tags explained',
    'SQLite for beginners',
    'MAC address list',
    'FORM follows function',
    'solid advice',
    'MZ',
    'PK\n',
    'x',
  ])('%j is plain text, not a binary format', async (content) => {
    expect((await sniff(content)).mimeType).toBe('text/plain');
  });

  it.each([
    ['%PDF-1.4\nall in ASCII', 'application/pdf', 'pdf'],
    ['{\\rtf1\\ansi}', 'application/rtf', 'document'],
    ['BEGIN:VCARD\nEND:VCARD', 'text/vcard', 'document'],
    ['WEBVTT\n\n', 'text/vtt', 'document'],
  ])('with a signature has its own type: %j', async (content, mimeType, kind) => {
    expect(await sniff(content)).toMatchObject({ mimeType, kind });
  });

  it('is still text when the 64 KiB that are read end within a character', async () => {
    expect((await sniff(`${'x'.repeat(65_535)}é`)).mimeType).toBe('text/plain');
  });
});

describe('an unknown format', () => {
  const unknown = { mimeType: 'application/octet-stream', extension: null, kind: 'other' };

  it.each([
    ['no bytes', ''],
    ['text with a NUL', 'a\0b'],
    ['a control character', 'a\x01b'],
    ['a byte order mark before a GIF', Buffer.from('efbbbf474946383961010001', 'hex')],
    ['a few bytes above 127', Buffer.from('9a8de9f1', 'hex')],
    ['UTF-8 cut off at the end', Buffer.from('61c3', 'hex')],
    ['a lone UTF-16 mark before bytes', Buffer.from('fffe00d800', 'hex')],
  ])('is reported for %s', async (_, content) => {
    expect(await sniff(content, 'picture.png')).toEqual(unknown);
  });
});

describe('a format that file-type misses or mistakes', () => {
  it('TIFF whose directory is after the head', async () => {
    const bytes = Buffer.alloc(200_000, 1);
    bytes.write('II*\0', 'latin1');
    bytes.writeUInt32LE(190_000, 4);
    expect((await sniff(bytes)).mimeType).toBe('image/tiff');
  });

  it('AVIF that names a general brand first', async () => {
    const bytes = await readFile(fixture('picture.avif'));
    bytes.write('mif1', 8, 'latin1');
    expect((await sniff(bytes)).mimeType).toBe('image/avif');
  });

  it('Ogg with video after sound', async () => {
    const sound = await readFile(fixture('sound.ogg'));
    const bytes = Buffer.concat([sound.subarray(0, 58), Buffer.from('OggS\x80theora', 'latin1')]);
    expect((await sniff(bytes)).mimeType).toBe('video/ogg');
  });

  it('gzip is not unpacked to detect its content', async () => {
    const tar = Buffer.alloc(1024);
    tar.write('ustar', 257);
    expect(await sniff(gzipSync(tar))).toMatchObject({
      mimeType: 'application/gzip',
      extension: 'gz',
    });
  });

  it('an ID3 tag before an image makes the file audio', async () => {
    const bytes = Buffer.concat([
      Buffer.from('49443303000000000000', 'hex'),
      await readFile(fixture('picture.png')),
    ]);
    expect((await sniff(bytes)).mimeType).toBe('audio/mpeg');
  });
});

describe('a hostile file', () => {
  it.each([
    ['nested ID3 tags', Buffer.from('49443303000000000000'.repeat(100_000), 'hex')],
    ['a bomb of gzip', gzipSync(Buffer.alloc(50e6))],
    ['PNG chunks without end', Buffer.concat([pngStart(), Buffer.alloc(1e6)])],
    ['opening tags', '<'.repeat(1e6)],
    ['open comments', '<!--'.repeat(1e6)],
    ['white space', ' '.repeat(1e6)],
    ['quotes in a DOCTYPE', `<!DOCTYPE a ${'"\'<!--['.repeat(1e5)}`],
  ])('costs little time and memory: %s', async (_, content) => {
    await withFile(content, async (path) => {
      const rssBefore = process.memoryUsage.rss();
      expect(await cpuMsOf(() => sniffFile(path))).toBeLessThan(250);
      expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(16 * 2 ** 20);
    });
  });

  it('never makes sniffFile throw: fixtures with bytes overwritten at random', async () => {
    for (const name of ['picture.png', 'picture.avif', 'sound.ogg', 'clip.webm', 'report.docx']) {
      const original = await readFile(fixture(name));
      for (let round = 0; round < 40; round++) {
        const bytes = Buffer.from(original);
        randomBytes(8).forEach((value, n) => {
          bytes[(value * 7919 * (n + 1)) % Math.min(bytes.length, 200)] = value;
        });
        await sniff(bytes.subarray(0, 4 + ((round * 37) % bytes.length)));
      }
    }
  });
});

it('a missing file throws the error of the file system', async () => {
  await expect(sniffFile(fixture('missing'))).rejects.toMatchObject({ code: 'ENOENT' });
});

function sniff(content: string | Uint8Array, filename?: string) {
  return withFile(content, (path) => sniffFile(path, filename === undefined ? {} : { filename }));
}

function pngStart(): Buffer {
  return Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55', 'hex');
}
