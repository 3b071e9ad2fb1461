import { describe, expect, it } from 'vitest';
import type { Page } from '../../../src/domain/page.ts';
import { listTags, listTagsFrom } from '../../../src/domain/tag/tag.ts';
import { listMedias, mediasOfEach } from '../../../src/domain/tree/media-list.ts';
import { nameSortKey } from '../../../src/lib/sort-key.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFolder, makeMediaRow, makeTag } from '../../support/make.ts';
import { createRandom } from '../../support/random.ts';

const PIECES = [
  ...[
    'a',
    'A',
    'z',
    'Z',
    'é',
    'É',
    'ø',
    'ß',
    'ł',
    'ı',
    'İ',
    'ﬁ',
    'Ａ',
    '１',
    '0',
    '7',
    '10',
    '007',
  ],
  ...[
    'й',
    'и',
    'Ё',
    'ї',
    'Σ',
    'ς',
    'ά',
    'א',
    'بّ',
    'ک',
    'हि',
    'த',
    'ไ',
    'ខ',
    'မ',
    '한',
    '각',
    'が',
    'タ',
  ],
  ...[
    '東',
    '京',
    '😀',
    '👨‍👩‍👧',
    '٣',
    '५',
    ' ',
    '-',
    '_',
    '.',
    '(',
    '"',
    '%',
    '\u{10ffff}'.slice(0, 0),
    '𐐀',
    '𝟗',
    '\uffee',
  ],
];

/** The same names in each run, some of them several times. */
function randomNames(count: number): string[] {
  const random = createRandom(17);
  return Array.from({ length: count }, (_, index) => {
    const length = 1 + random(5);
    const name = Array.from({ length }, () => PIECES[random(PIECES.length)]).join('');
    return (index % 25 === 0 ? 'photo 2' : name).normalize('NFC');
  });
}

interface Named {
  id: number;
  name: string;
}

/** The order of bytes, which neither database decides. */
function byName(a: Named, b: Named): number {
  const [left, right] = [Buffer.from(nameSortKey(a.name)), Buffer.from(nameSortKey(b.name))];
  return Buffer.compare(left, right) || a.id - b.id;
}

/** Reads all pages of a list forwards, then backwards. */
async function everyPage(read: (args: object) => Promise<Page<Named>>): Promise<number[][]> {
  const forward: number[] = [];
  for (let after: string | null = null, isMore = true; isMore; ) {
    const page: Page<Named> = await read({ first: 23, after });
    forward.push(...page.edges.map(({ node }) => node.id));
    after = page.edges.at(-1)?.cursor ?? null;
    isMore = page.hasNextPage;
  }
  const backward: number[] = [];
  for (let before: string | null = null, isMore = true; isMore; ) {
    const page: Page<Named> = await read({ last: 23, before });
    backward.unshift(...page.edges.map(({ node }) => node.id));
    before = page.edges[0]?.cursor ?? null;
    isMore = page.hasPreviousPage;
  }
  return [forward, backward];
}

describeEachBackend('500 names of many scripts', (backend) => {
  it('are in one order, of all media and of a folder; each is on one page', () =>
    withServices(backend, async ({ db, as }) => {
      const folder = await makeFolder(db);
      const place = { parent_id: folder, level: 2, path: `/1/${folder}/` };
      const nodes: Named[] = [];
      for (const name of randomNames(500)) {
        nodes.push({ id: await makeMediaRow(db, { ...place, name }), name });
      }
      const ctx = as(user());
      for (const descending of [false, true]) {
        const order = { field: 'name', descending } as const;
        const expected = nodes.toSorted(byName).map(({ id }) => id);
        if (descending) expected.reverse();
        const all = (args: object) => listMedias(ctx, args, {}, order);
        expect(await everyPage(all)).toEqual([expected, expected]);
        const inFolder = async (args: object) => {
          const pages = await mediasOfEach(ctx, 'folder', [folder], args, {}, order);
          return pages.get(folder) as Page<Named>;
        };
        expect(await everyPage(inFolder)).toEqual([expected, expected]);
      }
    }));

  it('are in the same order as names of tags, with cursors and with offsets', () =>
    withServices(backend, async ({ db, as }) => {
      const tags: Named[] = [];
      for (const name of randomNames(200)) tags.push(await makeTag(db, { name }));
      const expected = tags.toSorted(byName).map(({ id }) => id);
      const ctx = as(user());
      const read = (args: object) => listTags(ctx, {}, args, 'name');
      expect(await everyPage(read)).toEqual([expected, expected]);
      const order = [{ field: 'name', descending: false }] as const;
      const window = await listTagsFrom(ctx, {}, order, { limit: 1000, offset: 0 });
      expect(window.map(({ name }) => name)).toEqual(tags.toSorted(byName).map(({ name }) => name));
    }));
});

describe('the pieces', () => {
  it('make many different names', () => {
    expect(new Set(randomNames(500)).size).toBeGreaterThan(400);
  });
});
