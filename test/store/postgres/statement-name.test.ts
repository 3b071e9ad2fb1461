import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Db } from '../../../src/store/db.ts';
import { EVERYTHING } from '../../../src/store/scope.ts';
import { inTransaction } from '../../../src/store/transaction.ts';
import { listMediasByIds } from '../../../src/store/tree/media.ts';
import { BACKENDS } from '../../support/backend.ts';
import { makeMediaRow } from '../../support/make.ts';

const postgres = BACKENDS.find(({ name }) => name === 'postgres');

describe.skipIf(postgres === undefined)('a look-up on postgres', () => {
  const withDb = (work: (db: Db) => Promise<void>) => postgres!.withDb(work);

  it('is kept by its connection, once', () =>
    withDb(async (db) => {
      const id = await makeMediaRow(db, { name: 'a' });
      for (const ids of [[id], [id, 0]]) {
        expect(await listMediasByIds(db, EVERYTHING, ids)).toMatchObject([{ name: 'a' }]);
      }
      expect(await countKept(db)).toBe(1);
    }));

  it('returns a column that was added after it was kept', () =>
    withDb(async (db) => {
      const id = await makeMediaRow(db, { name: 'a' });
      await listMediasByIds(db, EVERYTHING, [id]);
      await sql`alter table media add column added integer default 7`.execute(db);
      expect(await listMediasByIds(db, EVERYTHING, [id])).toMatchObject([{ name: 'a', added: 7 }]);
    }));

  it('survives the loss of what the session kept', () =>
    withDb(async (db) => {
      const id = await makeMediaRow(db, { name: 'a' });
      await listMediasByIds(db, EVERYTHING, [id]);
      await sql`deallocate all`.execute(db);
      expect(await listMediasByIds(db, EVERYTHING, [id])).toMatchObject([{ name: 'a' }]);
    }));

  it('is not kept in a transaction, which a failure would end', () =>
    withDb(async (db) => {
      await inTransaction(db, async (db) => {
        const id = await makeMediaRow(db, { name: 'a' });
        await listMediasByIds(db, EVERYTHING, [id]);
        expect(await countKept(db)).toBe(0);
      });
    }));
});

/** The statements that the only connection of the pool has kept. */
async function countKept(db: Db): Promise<number> {
  const text = sql<{ count: number }>`select count(*) as count from pg_prepared_statements`;
  const { rows } = await text.execute(db);
  return rows[0]!.count;
}
