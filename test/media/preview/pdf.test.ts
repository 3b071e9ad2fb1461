import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fixtureBytes } from '../../support/bytes.ts';
import { shadesOf } from '../../support/image.ts';
import { makePdf, onePagePdf, pdfStream, QUADRANTS } from '../../support/pdf.ts';
import { expectRefused, withPreviewer } from './bounds.ts';

const PDF = 'application/pdf';

test('the first page is drawn on white, and the pages are counted', () =>
  withPreviewer(async (draw) => {
    const page = await draw(onePagePdf(QUADRANTS), PDF);
    expect(page).toMatchObject({ width: 1600, height: 800, pageCount: 1 });
    expect(await shadesOf(page.bytes)).toBe('red lime blue yellow red');
    const text = await draw(fixtureBytes('document-with-text.pdf'), PDF);
    expect(text).toMatchObject({ pageCount: 2 });
    expect(await shadesOf(text.bytes)).toMatch(/^white white white white/);
  }));

test('a turned page is shown as it is read', () =>
  withPreviewer(async (draw) => {
    const bytes = onePagePdf(QUADRANTS, { box: '0 0 200 100]/Rotate 90/TrimBox[0 0 200 100' });
    const page = await draw(bytes, PDF);
    expect(page).toMatchObject({ width: 800, height: 1600 });
    expect(await shadesOf(page.bytes)).toBe('blue red yellow lime blue');
  }));

test.each([
  ['0 0 14400 1', 1600, 1],
  ['0 0 1 14400', 1, 1600],
  ['0 0 .5 .25', 1600, 800],
  ['0 0 1000000 1000000', 1600, 1600],
])('a page of %s points is drawn', (box, width, height) =>
  withPreviewer(async (draw) => {
    expect(await draw(onePagePdf('', { box }), PDF)).toMatchObject({ width, height });
  }),
);

test('a document of 100,000 pages is drawn', () =>
  withPreviewer(async (draw) => {
    const count = 100_000;
    const kids = Array.from({ length: count }, (_, n) => `${n + 4} 0 R`).join(' ');
    const page = `<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 3 0 R>>`;
    const bytes = makePdf([
      '<</Type/Catalog/Pages 2 0 R>>',
      `<</Type/Pages/Kids[${kids}]/Count ${count}>>`,
      pdfStream('', QUADRANTS),
      ...Array<string>(count).fill(page),
    ]);
    const preview = await draw(bytes, PDF);
    expect(preview).toHaveProperty('pageCount', count);
    expect(await shadesOf(preview.bytes)).toBe('red lime blue yellow red');
  }));

/** Forms that each draw the one before them ten times. */
function nestedForms(levels: number): Buffer {
  const forms = Array.from({ length: levels }, (_, n) => {
    const use = n === 0 ? '0 0 1 rg 0 0 9 9 re f ' : '/F Do ';
    const resources = n === 0 ? '' : `/Resources<</XObject<</F ${n + 4} 0 R>>>>`;
    return pdfStream(`/Type/XObject/Subtype/Form/BBox[0 0 200 100]${resources}`, use.repeat(10));
  });
  const resources = `/XObject<</F ${levels + 4} 0 R>>`;
  return onePagePdf('/F Do', { resources, more: forms });
}

/** A stream of these bytes, a hundred thousand times over, compressed twice. */
function bomb(text: string): Buffer {
  const bytes = Buffer.from(text.repeat(Math.ceil(3e8 / text.length)));
  return onePagePdf(deflateSync(deflateSync(bytes)), {
    filter: '/Filter[/FlateDecode/FlateDecode]',
  });
}

const KEY = Buffer.alloc(32, 'k').toString('hex');

const REFUSED: Readonly<Record<string, () => Buffer>> = {
  'no document': () => Buffer.from('%PDF-1.7 no document'),
  'half a document': () => onePagePdf(QUADRANTS).subarray(0, 120),
  'a document without pages': () =>
    makePdf(['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[]/Count 0>>']),
  'a billion forms': () => nestedForms(10),
  'a page that draws for ever': () => bomb('0 0 200 100 re 9 9 m 1 1 l f* S '),
};

test.each(Object.keys(REFUSED))('%s is refused, and the next file is drawn', (name) =>
  withPreviewer((draw) => expectRefused(draw, REFUSED[name]!(), PDF)),
);

test('a document with a password is refused, and says so', () =>
  withPreviewer((draw) => {
    const objects = [
      '<</Type/Catalog/Pages 2 0 R>>',
      '<</Type/Pages/Kids[3 0 R]/Count 1>>',
      '<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>',
      `<</Filter/Standard/V 1/R 2/P -4/O<${KEY}>/U<${KEY}>>>`,
    ];
    const bytes = makePdf(objects, `/Encrypt 4 0 R/ID[<${KEY}><${KEY}>]`);
    return expectRefused(draw, bytes, PDF, /protected by a password/);
  }));

test.each<[string, () => Buffer]>([
  [
    'a tree of pages that contains itself',
    () =>
      makePdf([
        '<</Type/Catalog/Pages 2 0 R>>',
        '<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2000000000>>',
      ]),
  ],
  [
    'a form that draws itself',
    () =>
      onePagePdf('/F Do', {
        resources: '/XObject<</F 5 0 R>>',
        more: [
          pdfStream(
            '/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>',
            '/F Do /F Do',
          ),
        ],
      }),
  ],
  [
    'an image of absurd dimensions',
    () =>
      onePagePdf('200 0 0 100 0 0 cm /I Do', {
        resources: '/XObject<</I 5 0 R>>',
        more: [
          pdfStream(
            '/Type/XObject/Subtype/Image/Width 100000/Height 100000/BitsPerComponent 8/ColorSpace/DeviceRGB',
            'x',
          ),
        ],
      }),
  ],
  ['a stream that unpacks to nothing but zeros', () => bomb('\0'.repeat(1000))],
])('%s ends within the bounds, and the next file is drawn', (_name, bytes) =>
  withPreviewer(async (draw) => {
    await draw(bytes(), PDF).catch(() => undefined);
    expect(await draw(onePagePdf(QUADRANTS), PDF)).toHaveProperty('width', 1600);
  }),
);
