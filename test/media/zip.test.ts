import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sniffFile } from '../../src/media/sniff.ts';
import { withFile } from '../support/temporary-file.ts';

describe('a ZIP archive', () => {
  it('is a document by its directory, after 1 MiB of data and 5,000 entries', async () => {
    const names = [...Array.from({ length: 5000 }, (_, n) => `word/media/${n}.png`)];
    const bytes = makeZip([...names, '[Content_Types].xml'], randomBytes(2 ** 20));
    expect((await sniff(bytes)).extension).toBe('docx');
  });

  it.each([
    ['xlsx', ['[Content_Types].xml', 'xl/workbook.xml']],
    ['pptx', ['ppt/presentation.xml', '[Content_Types].xml']],
    ['docm', ['[Content_Types].xml', 'word/document.xml', 'word/vbaProject.bin']],
    ['jar', ['META-INF/MANIFEST.MF']],
    ['vsdx', ['[Content_Types].xml', 'visio/document.xml']],
    ['xps', ['[Content_Types].xml', 'FixedDocSeq.fdseq']],
    ['3mf', ['[Content_Types].xml', '3D/3dmodel.model']],
    ['odt', ['content.xml', 'mimetype', 'META-INF/manifest.xml']],
    ['epub', ['META-INF/container.xml', 'mimetype']],
    ['key', ['Index/Document.iwa', 'Index/Slide.iwa']],
    ['pages', ['Index/Document.iwa']],
    ['kmz', ['doc.kml']],
    ['kmz', ['files/a.png', `${'The whole island '.repeat(9)}.KML`]],
    ['zip', ['maps/doc.kml']],
    ['usdz', ['chair.usdc', 'textures/a.png']],
    ['mxl', ['META-INF/container.xml', 'score.xml']],
    ['zip', ['Payload/a.txt']],
    ['idml', ['designmap.xml']],
    ['apk', ['META-INF/MANIFEST.MF', 'AndroidManifest.xml']],
    ['zip', ['word/document.xml']],
    ['zip', []],
  ])('is %s with the entries %j', async (extension, names) => {
    expect((await sniff(makeZip(names))).extension).toBe(extension);
  });

  it('is not a document when its names are missing from the directory', async () => {
    const bytes = makeZip(['[Content_Types].xml', 'word/document.xml']);
    const text = bytes.toString('latin1').replaceAll('PK\x01\x02', 'PK\0\0');
    expect((await sniff(Buffer.from(text, 'latin1'))).extension).toBe('zip');
  });

  it.each([
    ['the beginning of one', Buffer.from('504b0304', 'hex')],
    ['an end record cut off', Buffer.from('504b0304504b0506'.padEnd(40, '0'), 'hex')],
    ['an end record that points nowhere', withDirectoryAt(0xfffffff0)],
    ['an end record that points at itself', withDirectoryAt(4)],
  ])('is plain ZIP when damaged: %s', async (_, bytes) => {
    expect((await sniff(bytes)).mimeType).toBe('application/zip');
  });

  it.skipIf(!existsSync(READ_COUNTER))('of 100,000 entries is detected from 1.2 MiB of it', () => {
    const bytes = makeZip(Array.from({ length: 100_000 }, () => 'x'.repeat(40)));
    return withFile(bytes, async (path) => {
      const before = countReadBytes();
      expect((await sniffFile(path)).extension).toBe('zip');
      expect(countReadBytes() - before).toBeLessThan(1.3 * 2 ** 20);
      expect(bytes.length).toBeGreaterThan(8 * 2 ** 20);
    });
  });
});

/** proc(5): `rchar` counts the bytes that this process has read. Linux only. */
const READ_COUNTER = '/proc/self/io';

function countReadBytes(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync(READ_COUNTER, 'utf8'))?.[1]);
}

function sniff(bytes: Buffer) {
  return withFile(bytes, (path) => sniffFile(path));
}

/** Creates an archive of entries without content; only the first local header is ever read. */
function makeZip(names: readonly string[], filler: Buffer = Buffer.alloc(0)): Buffer {
  const local = Buffer.concat([Buffer.from('504b0304'.padEnd(60, '0'), 'hex'), filler]);
  const entries = names.map((name) => {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(name.length, 28);
    return Buffer.concat([entry, Buffer.from(name)]);
  });
  const directory = Buffer.concat(entries);
  return Buffer.concat([local, directory, endRecord(local.length, directory.length)]);
}

function withDirectoryAt(offset: number): Buffer {
  return Buffer.concat([Buffer.from('504b0304', 'hex'), endRecord(offset, 100)]);
}

function endRecord(offset: number, sizeBytes: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50);
  record.writeUInt32LE(sizeBytes, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}
