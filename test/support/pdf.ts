/** An object of a PDF: its dictionary, or a stream after it. */
export type PdfObject = string | Buffer;

/** Returns a stream with a dictionary. */
export function pdfStream(dictionary: string, data: string | Buffer): Buffer {
  const bytes = Buffer.from(data);
  const head = `<<${dictionary}/Length ${bytes.length}>>\nstream\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('\nendstream')]);
}

/** Returns a PDF with these objects, numbered from 1. The first one is the catalog. */
export function makePdf(objects: readonly PdfObject[], trailer = ''): Buffer {
  const pieces = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let length = pieces[0]!.length;
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    const piece = Buffer.concat([
      Buffer.from(`${index + 1} 0 obj\n`),
      Buffer.from(object),
      Buffer.from('\nendobj\n'),
    ]);
    pieces.push(piece);
    length += piece.length;
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const size = objects.length + 1;
  pieces.push(
    Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${rows.join('')}`),
    Buffer.from(`trailer\n<</Size ${size}/Root 1 0 R${trailer}>>\nstartxref\n${length}\n%%EOF\n`),
  );
  return Buffer.concat(pieces);
}

/** Returns the content of a page of 200 by 100 points: red and lime above, blue and yellow below. */
export const QUADRANTS =
  '1 0 0 rg 0 50 100 50 re f 0 1 0 rg 100 50 100 50 re f 0 0 1 rg 0 0 100 50 re f 1 1 0 rg 100 0 100 50 re f';

/** Returns a PDF with one page. `more`: objects from number 5 on. */
export function onePagePdf(
  content: string | Buffer,
  { box = '0 0 200 100', resources = '', more = [] as PdfObject[], filter = '' } = {},
): Buffer {
  return makePdf([
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    `<</Type/Page/Parent 2 0 R/MediaBox[${box}]/Contents 4 0 R/Resources<<${resources}>>>>`,
    pdfStream(filter, content),
    ...more,
  ]);
}
