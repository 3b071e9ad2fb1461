import { expect, it } from 'vitest';
import { type Keyset, listPage, type PageRequest } from '../../src/store/cursor.ts';
import type { Db } from '../../src/store/db.ts';
import { describeEachBackend } from '../support/backend.ts';
import { BY_NAME, NEWEST_FIRST } from '../support/keyset.ts';
import { makeTag } from '../support/make.ts';

const BY_ID: Keyset = {
  name: 'by id',
  columns: [{ name: 'id', type: 'number' }],
  descending: false,
};

describeEachBackend('listPage', (backend) => {
  it('reads forward page by page to the end, every row once', () =>
    backend.withDb(async (db) => {
      const ids = await makeTags(db, ['a', 'b', 'c', 'd', 'e']);
      const first = await page(db, BY_ID, { limit: 2 });
      expect(first).toEqual({ ids: [ids[0], ids[1]], hasMore: true });
      const second = await page(db, BY_ID, { limit: 2, after: [ids[1]!] });
      expect(second).toEqual({ ids: [ids[2], ids[3]], hasMore: true });
      const third = await page(db, BY_ID, { limit: 2, after: [ids[3]!] });
      expect(third).toEqual({ ids: [ids[4]], hasMore: false });
    }));

  it('reads backward from the end, each page in the order of the list', () =>
    backend.withDb(async (db) => {
      const ids = await makeTags(db, ['a', 'b', 'c', 'd', 'e']);
      const last = await page(db, BY_ID, { limit: 2, backward: true });
      expect(last).toEqual({ ids: [ids[3], ids[4]], hasMore: true });
      const before = await page(db, BY_ID, { limit: 3, backward: true, before: [ids[3]!] });
      expect(before).toEqual({ ids: [ids[0], ids[1], ids[2]], hasMore: false });
    }));

  it('a descending list reads both ways too', () =>
    backend.withDb(async (db) => {
      const ids = (await makeTags(db, ['a', 'b', 'c', 'd'])).reverse();
      const first = await page(db, NEWEST_FIRST, { limit: 2 });
      expect(first).toEqual({ ids: [ids[0], ids[1]], hasMore: true });
      const next = await page(db, NEWEST_FIRST, { limit: 9, after: [ids[1]!] });
      expect(next).toEqual({ ids: [ids[2], ids[3]], hasMore: false });
      const last = await page(db, NEWEST_FIRST, { limit: 1, backward: true });
      expect(last).toEqual({ ids: [ids[3]], hasMore: true });
      const previous = await page(db, NEWEST_FIRST, {
        limit: 2,
        backward: true,
        before: [ids[3]!],
      });
      expect(previous).toEqual({ ids: [ids[1], ids[2]], hasMore: true });
    }));

  it('rows with the same value are ordered by the last column', () =>
    backend.withDb(async (db) => {
      const [a, b, c] = await makeTags(db, ['same', 'same', 'same']);
      const [first] = await makeTags(db, ['first']);
      const page1 = await page(db, BY_NAME, { limit: 2 });
      expect(page1.ids).toEqual([first, a]);
      const page2 = await page(db, BY_NAME, { limit: 2, after: ['same', a!] });
      expect(page2).toEqual({ ids: [b, c], hasMore: false });
    }));

  it('both ends bound a page and are not part of it', () =>
    backend.withDb(async (db) => {
      const ids = await makeTags(db, ['a', 'b', 'c', 'd']);
      const between = { limit: 9, after: [ids[0]!], before: [ids[3]!] };
      expect(await page(db, BY_ID, between)).toEqual({ ids: [ids[1], ids[2]], hasMore: false });
    }));

  it('a page of no rows tells whether rows exist', () =>
    backend.withDb(async (db) => {
      expect(await page(db, BY_ID, { limit: 0 })).toEqual({ ids: [], hasMore: false });
      await makeTags(db, ['a']);
      expect(await page(db, BY_ID, { limit: 0 })).toEqual({ ids: [], hasMore: true });
    }));

  it('a page that takes exactly the remaining rows is the last', () =>
    backend.withDb(async (db) => {
      const ids = await makeTags(db, ['a', 'b']);
      expect(await page(db, BY_ID, { limit: 2 })).toEqual({ ids, hasMore: false });
    }));

  it('rows that are inserted and deleted before the cursor shift nothing', () =>
    backend.withDb(async (db) => {
      const [, , , b, a] = await makeTags(db, ['e', 'd', 'c', 'b', 'a']);
      expect((await page(db, BY_NAME, { limit: 2 })).ids).toEqual([a, b]);
      await makeTags(db, ['0', 'aa', 'b']);
      await db.deleteFrom('tag').where('id', '=', b!).execute();
      const rest = await names(db, { limit: 9, after: ['b', b!] });
      expect(rest).toEqual(['b', 'c', 'd', 'e']);
    }));
});

async function makeTags(db: Db, tagNames: string[]): Promise<number[]> {
  const ids: number[] = [];
  for (const name of tagNames) ids.push((await makeTag(db, { name })).id);
  return ids;
}

type Request = Omit<PageRequest, 'backward'> & { backward?: boolean };

async function page(db: Db, keyset: Keyset, { backward = false, ...request }: Request) {
  const query = db.selectFrom('tag').select('id');
  const { rows, hasMore } = await listPage(query, keyset, { ...request, backward });
  return { ids: rows.map((row) => row.id), hasMore };
}

async function names(db: Db, request: Request): Promise<string[]> {
  const query = db.selectFrom('tag').select('name');
  const { rows } = await listPage(query, BY_NAME, { backward: false, ...request });
  return rows.map((row) => row.name);
}
