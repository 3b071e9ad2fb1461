import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Db } from '../../src/store/db.ts';
import { dialectOf, escapeLike, isAnyOf, isLike } from '../../src/store/dialect.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeTag } from '../support/make.ts';

describeEachBackend('dialect', (backend) => {
  it('is known for a database and for a transaction', () =>
    backend.withDb(async (db) => {
      expect(dialectOf(db)).toBe(backend.name);
      expect(await inTransaction(db, async (db) => dialectOf(db))).toBe(backend.name);
    }));

  it('isAnyOf no values finds nothing', () =>
    backend.withDb(async (db) => {
      await makeTag(db);
      expect(await idsAmong(db, [])).toEqual([]);
    }));

  it('isAnyOf one value finds its row and no other', () =>
    backend.withDb(async (db) => {
      const [one] = [await makeTag(db), await makeTag(db)];
      expect(await idsAmong(db, [one.id])).toEqual([one.id]);
    }));

  it('isAnyOf a thousand values finds the existing rows once each, in one statement', () =>
    backend.withDb(async (db, statements) => {
      const [one, two] = [await makeTag(db), await makeTag(db)];
      const ids = Array.from({ length: 1000 }, (_, index) => index);
      statements.length = 0;
      expect(await idsAmong(db, [...ids, ...ids])).toEqual([one.id, two.id]);
      expect(statements).toHaveLength(1);
    }));

  it('isAnyOf is the same statement for any number of values', () =>
    backend.withDb(async (db, statements) => {
      await idsAmong(db, [1]);
      await idsAmong(db, [1, 2, 3]);
      expect(new Set(statements).size).toBe(1);
    }));

  it('isLike ignores case by the rules of Unicode, whatever the locale of the database is', () =>
    backend.withDb(async (db) => {
      const isFound = async (name: string, part: string) => {
        const pattern = `%${escapeLike(part)}%`;
        const { rows } = await sql<{ found: number | boolean }>`select
          ${isLike(db, sql`cast(${name} as text) ${bytewise(db)}`, pattern)} as found`.execute(db);
        return Boolean(rows[0]?.found);
      };
      for (const [name, part] of [
        ['École', 'éco'],
        ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
        ['σίσυφος', 'ΦΟΣ'],
        ['İstanbul', 'i̇stan'],
        ['ЖУРНАЛ', 'жур'],
        ['Straße', 'STRASSE'],
        ['ISPARTA', 'ıspart'],
        ['100% sure', '% SU'],
      ] as const) {
        expect([name, part, await isFound(name, part)]).toEqual([name, part, true]);
      }
      for (const [name, part] of [
        ['İstanbul', 'istan'],
        ['Ximena', 'İ'],
        ['École', 'eco'],
      ] as const) {
        expect([name, part, await isFound(name, part)]).toEqual([name, part, false]);
      }
    }));

  it.each([
    ['plain', 'plain'],
    ['quotes', `it's "quoted"`],
    ['array syntax', '{a,b}'],
    ['a backslash', 'a\\b\\\\'],
    ['a word of SQL', 'NULL'],
    ['digits', '42'],
    ['nothing', ''],
    ['other scripts', 'Größe 尺寸 👩‍👩‍👧'],
    ['line breaks', 'a\nb\tc'],
  ])('isAnyOf finds a text of %s, and nothing but it', (_, name) =>
    backend.withDb(async (db) => {
      const { id } = await makeTag(db, { name });
      await makeTag(db, { name: `${name}.` });
      const rows = await db
        .selectFrom('tag')
        .where(isAnyOf(db, 'name', [name, 'x']))
        .select('id');
      expect(await rows.execute()).toEqual([{ id }]);
    }),
  );

  it('texts are ordered by their bytes, whatever the locale', () =>
    backend.withDb(async (db) => {
      for (const name of ['é', 'b', 'B', 'a', 'Z', '_', '😀', '￿']) await makeTag(db, { name });
      const rows = await db.selectFrom('tag').orderBy('name').select('name').execute();
      expect(rows.map((row) => row.name).join(' ')).toBe('B Z _ a b é ￿ 😀');
    }));
});

async function idsAmong(db: Db, ids: number[]): Promise<number[]> {
  const rows = await db
    .selectFrom('tag')
    .where(isAnyOf(db, 'id', ids))
    .select('id')
    .execute();
  return rows.map((row) => row.id).sort((a, b) => a - b);
}

/** The collation of the columns. */
function bytewise(db: Db) {
  return dialectOf(db) === 'postgres' ? sql`collate "C"` : sql``;
}
