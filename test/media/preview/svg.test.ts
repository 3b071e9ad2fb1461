import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { plain, shadesOf } from '../../support/image.ts';
import { expectRefused, withPreviewer } from './bounds.ts';

const SVG = 'image/svg+xml';
const NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';

/** Returns a drawing with a white background. */
function svg(content: string, { size = 'width="40" height="40"', prolog = '' } = {}): string {
  return `${prolog}<svg ${NAMESPACES} ${size}><rect width="100%" height="100%" fill="white"/>${content}</svg>`;
}

const QUADRANTS =
  '<path fill="red" d="M0 0h20v20H0z"/><path fill="lime" d="M20 0h20v20H20z"/><path fill="blue" d="M0 20h20v20H0z"/><path fill="yellow" d="M20 20h20v20H20z"/>';

test.each([
  ['an icon is drawn large', 'width="40" height="40"', 1024, 1024],
  [
    'a drawing keeps its aspect ratio',
    'width="40" height="10" viewBox="0 0 40 40" preserveAspectRatio="none"',
    1024,
    256,
  ],
  [
    'a large one keeps its size',
    'width="1500" height="1200" viewBox="0 0 40 40" preserveAspectRatio="none"',
    1500,
    1200,
  ],
  [
    'a larger one is scaled down',
    'width="9000" height="4500" viewBox="0 0 40 40" preserveAspectRatio="none"',
    2048,
    1024,
  ],
  [
    'one that nobody could draw at its size is scaled down',
    'width="1e5" height="1e5" viewBox="0 0 40 40"',
    2048,
    2048,
  ],
  ['one of a view box alone is drawn', 'viewBox="0 0 40 40"', 1024, 1024],
])('%s', (_name, size, width, height) =>
  withPreviewer(async (draw) => {
    const preview = await draw(svg(QUADRANTS, { size }), SVG);
    expect(preview).toMatchObject({ width, height });
    expect(await shadesOf(preview.bytes)).toBe('red lime blue yellow red');
  }),
);

test('what is transparent stays so', () =>
  withPreviewer(async (draw) => {
    const empty = `<svg ${NAMESPACES} width="40" height="40"/>`;
    expect(await shadesOf((await draw(empty, SVG)).bytes)).toBe('clear clear clear clear clear');
  }));

test('a drawing is recognized behind a long prolog', () =>
  withPreviewer(async (draw) => {
    const prolog = `<?xml version="1.0" encoding="UTF-8"?>\n<!-- ${'a long comment '.repeat(200)} -->\n`;
    expect(await draw(svg('', { prolog }), SVG)).toHaveProperty('width', 1024);
    expect(await draw(`\ufeff${svg('', { prolog })}`, SVG)).toHaveProperty('width', 1024);
  }));

test('no reference to anything outside of the drawing is followed', async () => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const directory = await mkdtemp(join(tmpdir(), 'trivium-test-'));
  try {
    const files = {
      'red.png': await plain({ r: 255, g: 0, b: 0 }).png().toBuffer(),
      'red.svg': svg('<g id="g"><path fill="red" d="M0 0h40v40H0z"/></g>'),
      'red.css': 'rect { fill: red !important }',
      'red.txt': '<path xmlns="http://www.w3.org/2000/svg" fill="red" d="M0 0h40v40H0z"/>',
    };
    for (const [name, bytes] of Object.entries(files))
      await writeFile(join(directory, name), bytes);
    const { port } = server.address() as AddressInfo;
    const bases = [
      `http://127.0.0.1:${port}/`,
      `${pathToFileURL(directory)}/`,
      `${directory}/`,
      // The drawing is in the same directory.
      '',
    ];
    await withPreviewer(async (draw) => {
      for (const base of bases) {
        for (const drawing of references(base)) {
          const preview = await draw(drawing, SVG, join(directory, 'drawing.svg')).catch(
            () => null,
          );
          if (preview === null) continue;
          expect([drawing, await shadesOf(preview.bytes)]).toEqual([
            drawing,
            'white white white white white',
          ]);
        }
      }
    });
    expect(requests).toEqual([]);
  } finally {
    server.close();
    await rm(directory, { recursive: true });
  }
});

/** Returns drawings that would be red if a reference were followed. */
function references(base: string): string[] {
  const whole = 'width="40" height="40"';
  const path = '<path d="M0 0h40v40H0z"';
  return [
    svg(`<image ${whole} href="${base}red.png"/>`),
    svg(`<image ${whole} xlink:href="${base}red.png"/>`),
    svg(`<image ${whole} xlink:href="${base}red.svg"/>`),
    svg(`<use ${whole} xlink:href="${base}red.svg#g"/>`),
    svg(`<filter id="f"><feImage href="${base}red.png"/></filter>${path} filter="url(#f)"/>`),
    svg(`${path} fill="url(${base}red.svg#g)"/>`, {}).replace(/#g\)"/, '#g) white"'),
    svg(`<style>@import url("${base}red.css");</style>`),
    svg(`<style>@import "${base}red.css";</style>`),
    svg('', { prolog: `<?xml-stylesheet type="text/css" href="${base}red.css"?>` }),
    svg(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="${base}red.svg"/>`),
    svg(
      `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="${base}red.txt"/>`,
    ),
    svg('&x;', { prolog: `<!DOCTYPE svg [<!ENTITY x SYSTEM "${base}red.txt">]>` }),
    svg('', { prolog: `<!DOCTYPE svg [<!ENTITY % x SYSTEM "${base}red.txt"> %x;]>` }),
    svg('', { prolog: `<!DOCTYPE svg SYSTEM "${base}red.txt">` }),
    svg(`<script href="${base}red.txt"/><script>document.documentElement.remove()</script>`),
    svg(
      `<foreignObject ${whole}><img xmlns="http://www.w3.org/1999/xhtml" src="${base}red.png"/></foreignObject>`,
    ),
    svg(
      `<image ${whole} href="data:image/svg+xml;base64,${Buffer.from(svg(`<image ${whole} href="${base}red.png"/>`)).toString('base64')}"/>`,
    ),
  ];
}

test('an image inside of the drawing is drawn', () =>
  withPreviewer(async (draw) => {
    const png = (await plain({ r: 255, g: 0, b: 0 }).png().toBuffer()).toString('base64');
    const image = `<image width="60" height="40" href="data:image/png;base64,${png}"/>`;
    expect(await shadesOf((await draw(svg(image), SVG)).bytes)).toBe('red red red red red');
  }));

/** Elements that each use the one before them ten times. */
function nested(levels: number, use: (id: string) => string): string {
  const level = (n: number) => `<g id="g${n}">${use(`g${n - 1}`).repeat(10)}</g>`;
  const all = Array.from({ length: levels }, (_, n) => level(n + 1)).join('');
  return `<defs><g id="g0"><path d="M0 0h9v9H0z"/></g>${all}</defs><use href="#g${levels}"/>`;
}

const HOSTILE: Readonly<Record<string, string>> = {
  'no drawing': 'no drawing',
  'a drawing of a billion pixels a side': svg('', { size: 'width="1e9" height="1e9"' }),
  'half a drawing': svg('').slice(0, 60),
  'a billion uses': nested(9, (id) => `<use href="#${id}"/>`),
  'a million filters': svg(
    `<filter id="f">${'<feTurbulence baseFrequency=".5" numOctaves="9"/><feMorphology radius="9"/>'.repeat(9999)}</filter><path d="M0 0h40v40H0z" filter="url(#f)"/>`,
  ),
  'a billion entities': svg('&j;', {
    prolog: `<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">${'bcdefghij'
      .split('')
      .map((name, n) => `<!ENTITY ${name} "${`&${'abcdefghi'[n]};`.repeat(10)}">`)
      .join('')}]>`,
  }),
  'a million elements': svg('<g>'.repeat(1_000_001) + '</g>'.repeat(1_000_001)),
};

test.each(Object.keys(HOSTILE))('%s is refused, and the next file is drawn', (name) =>
  withPreviewer(async (draw) => {
    const content = HOSTILE[name]!;
    const drawing = name === 'a billion uses' ? svg(content) : content;
    await expectRefused(draw, drawing, SVG);
  }),
);

test.each<[string, string]>([
  ['a use of itself', '<g id="g"><use href="#g"/><path d="M0 0h9v9H0z"/></g>'],
  [
    'a pattern of itself',
    '<pattern id="p" width="9" height="9"><path d="M0 0h9v9H0z" fill="url(#p)"/></pattern><path d="M0 0h40v40H0z" fill="url(#p)"/>',
  ],
  [
    'a huge pattern',
    '<pattern id="p" width="1e9" height="1e9" patternUnits="userSpaceOnUse"><path d="M0 0h1e9v1e9H0z"/></pattern><path d="M0 0h1e9v1e9H0z" fill="url(#p)"/>',
  ],
  [
    'a blur of everything',
    '<filter id="f" x="-9" y="-9" width="20" height="20"><feTurbulence baseFrequency=".01" numOctaves="99999999"/><feGaussianBlur stdDeviation="5000"/></filter><path d="M0 0h40v40H0z" filter="url(#f)"/>',
  ],
  [
    'a mask of itself',
    '<mask id="m"><path d="M0 0h9v9H0z" mask="url(#m)"/></mask><path d="M0 0h40v40H0z" mask="url(#m)"/>',
  ],
])('%s ends within the bounds, and the next file is drawn', (_name, content) =>
  withPreviewer(async (draw) => {
    await draw(svg(content), SVG).catch(() => undefined);
    expect(await draw(svg(QUADRANTS), SVG)).toHaveProperty('width', 1024);
  }),
);
