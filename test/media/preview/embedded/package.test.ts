import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { NoImageError } from '../../../../src/media/preview/decoder.ts';
import { fixtureBytes } from '../../../support/bytes.ts';
import { quadrants } from '../../../support/image.ts';
import { createRandom } from '../../../support/random.ts';
import { drawBytes, expectReason, looksOf } from '../draw.ts';

const JPEG = await quadrants(40, 30).jpeg({ quality: 95 }).toBuffer();
const PNG = await quadrants(20, 20).png().toBuffer();
const SEEN = '40 × 30: red lime blue yellow red';

describe('a document', () => {
  test('of LibreOffice is drawn by the image that it contains of its first page', async () => {
    const { width, height } = await drawBytes('a.odt', fixtureBytes('preview/document.odt'));
    expect([width, height]).toEqual([362, 512]);
  });

  test('of Office, Apple, Krita or OpenRaster is drawn by the image that it contains of itself', async () => {
    const office = { '[Content_Types].xml': '<Types/>', 'docProps/thumbnail.jpeg': JPEG };
    const files = {
      'a.docx': await zipOf({ ...office, 'word/document.xml': '<w/>' }),
      'a.pptx': await zipOf({ ...office, 'ppt/presentation.xml': '<p/>' }),
      'a.pages': await zipOf({ 'Index/Document.iwa': 'x', 'preview.jpg': JPEG }),
      'a.ora': await zipOf({
        'stack.xml': '<image/>',
        'mergedimage.png': JPEG,
        'Thumbnails/thumbnail.png': PNG,
      }),
      'a.kra': await zipOf({
        'maindoc.xml': 'x',
        'documentinfo.xml': 'x',
        'mergedimage.png': JPEG,
      }),
    };
    for (const [name, bytes] of Object.entries(files)) {
      expect(await looksOf(await drawBytes(name, bytes)), name).toBe(SEEN);
    }
  });

  test('without such an image says so', async () => {
    await expect(drawBytes('report.docx', fixtureBytes('report.docx'))).rejects.toThrow(
      NoImageError,
    );
    await expect(drawBytes('sheet.ods', fixtureBytes('sheet.ods'))).rejects.toThrow(NoImageError);
  });
});

describe('a book', () => {
  const container =
    '<container><rootfiles><rootfile full-path="OEBPS/a.opf" media-type="x"/></rootfiles></container>';
  const bookOf = (metadata: string, item: string) =>
    zipOf({
      'META-INF/container.xml': container,
      mimetype: 'application/epub+zip',
      'OEBPS/a.opf': `<package><metadata>${metadata}</metadata><manifest>${item}</manifest></package>`,
      'OEBPS/images/the cover.jpg': JPEG,
      'OEBPS/other.png': PNG,
    });

  test('in EPUB 3 is drawn by the image that it calls its cover', async () => {
    const other = '<item id="x" href="other.png" media-type="image/png"/>';
    const cover = '<item properties="svg cover-image" id="c" href="images/the%20cover.jpg"/>';
    expect(await looksOf(await drawBytes('a.epub', await bookOf('', other + cover)))).toBe(SEEN);
  });

  test('in EPUB 2 is drawn by the image that its metadata names', async () => {
    const book = await bookOf(
      "<meta content='c' name='cover'/>",
      '<opf:item id="c" href="images/the%20cover.jpg"/>',
    );
    expect(await looksOf(await drawBytes('a.epub', book))).toBe(SEEN);
  });

  test('without a cover, or whose cover is elsewhere, says so', async () => {
    const books = ['', '<item properties="cover-image" href="http://127.0.0.1:9/a.jpg"/>'];
    books.push('<item properties="cover-image" href="../../../../etc/passwd"/>');
    for (const item of books) {
      await expect(drawBytes('a.epub', await bookOf('', item))).rejects.toThrow(NoImageError);
    }
  });
});

test('a comic book is drawn by its first page, in the order of its names as people count', async () => {
  const comic = await zipOf({ 'page 10.png': PNG, 'page 2.jpg': JPEG, 'info.xml': '<x/>' });
  expect(await looksOf(await drawBytes('a.cbz', comic))).toBe(SEEN);
});

describe('a hostile archive', () => {
  test('whose image unfolds to more than 32 MiB is refused', async () => {
    const bomb = await zipOf({ mimetype: 'x', 'page 1.png': Buffer.alloc(100_000_000) });
    await expect(drawBytes('a.cbz', bomb)).rejects.toThrow(NoImageError);
  });

  test('or a damaged one is drawn, or refused with a reason', async () => {
    const random = createRandom(16);
    const good = await zipOf({ 'page 1.png': PNG, 'page 2.png': PNG });
    for (let count = 0; count < 100; count++) {
      const bytes = Buffer.from(good);
      for (let flips = 0; flips < 4; flips++) {
        bytes[flips % 2 === 0 ? 4 + random(60) : bytes.length - 1 - random(140)] = random(256);
      }
      await drawBytes('a.cbz', bytes, { mimeType: 'application/vnd.comicbook+zip' }).catch(
        expectReason,
      );
    }
  });
});

function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, content] of Object.entries(files)) {
    zip.addBuffer(Buffer.from(content), path, { compress: path !== 'mimetype' });
  }
  zip.end();
  return buffer(zip.outputStream);
}
