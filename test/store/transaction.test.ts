import { expect, it } from 'vitest';
import { type Db, openDb } from '../../src/store/db.ts';
import { EVERYTHING } from '../../src/store/scope.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { listMediasByIds } from '../../src/store/tree/media.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeMediaRow, makeTag } from '../support/make.ts';

describeEachBackend('inTransaction', (backend) => {
  it('returns the result of the work and keeps its writes', () =>
    backend.withDb(async (db) => {
      const id = await inTransaction(db, (db) => makeMediaRow(db));
      expect(await listMediasByIds(db, EVERYTHING, [id])).toHaveLength(1);
    }));

  it('undoes every write if the work throws, and throws the same error', () =>
    backend.withDb(async (db) => {
      const failure = new Error('no');
      const work = inTransaction(db, async (db) => {
        await makeMediaRow(db);
        await makeTag(db);
        throw failure;
      });
      await expect(work).rejects.toBe(failure);
      expect(await countAll(db)).toBe(0);
    }));

  it('joins a transaction that is open: one begin, one commit', () =>
    backend.withDb(async (db, statements) => {
      await inTransaction(db, async (outer) => {
        await makeTag(outer);
        await inTransaction(outer, async (inner) => {
          expect(inner).toBe(outer);
          await makeTag(inner);
        });
      });
      expect(statements.filter((text) => /^(begin|commit)/.test(text))).toHaveLength(2);
    }));

  it('undoes the writes of a joined transaction if the outer work fails later', () =>
    backend.withDb(async (db) => {
      const work = inTransaction(db, async (db) => {
        await inTransaction(db, (db) => makeTag(db));
        throw new Error('later');
      });
      await expect(work).rejects.toThrow('later');
      expect(await countAll(db)).toBe(0);
    }));

  it('fails as a whole when a joined transaction fails', () =>
    backend.withDb(async (db) => {
      const work = inTransaction(db, async (db) => {
        await makeTag(db);
        await inTransaction(db, async () => {
          throw new Error('within');
        });
      });
      await expect(work).rejects.toThrow('within');
      expect(await countAll(db)).toBe(0);
    }));

  it('leaves the database usable after a statement that failed', () =>
    backend.withDb(async (db) => {
      const taken = { uuid: 'taken', created_at: 0, updated_at: 0 };
      await makeMediaRow(db, taken);
      await expect(inTransaction(db, (db) => makeMediaRow(db, taken))).rejects.toThrow();
      await inTransaction(db, (db) => makeTag(db));
      expect(await countAll(db)).toBe(2);
    }));

  it('hides uncommitted writes from other connections', () =>
    backend.withUrl(async (url) => {
      const [db, other] = [openDb({ url }), openDb({ url })];
      try {
        await inTransaction(db, async (db) => {
          await makeTag(db);
          expect(await countAll(other)).toBe(0);
        });
        expect(await countAll(other)).toBe(1);
      } finally {
        await Promise.all([db.destroy(), other.destroy()]);
      }
    }));

  it('isolates many concurrent transactions', () =>
    backend.withDb(async (db) => {
      const work = (index: number) =>
        inTransaction(db, async (db) => {
          const id = await makeMediaRow(db);
          await new Promise(setImmediate);
          if (index % 2 === 1) throw new Error('odd');
          return id;
        });
      await Promise.allSettled(Array.from({ length: 20 }, (_, index) => work(index)));
      expect(await countAll(db)).toBe(10);
    }));
});

/** The number of media and tags, without the root. */
async function countAll(db: Db): Promise<number> {
  const medias = await db.selectFrom('media').where('id', '!=', 1).select('id').execute();
  const tags = await db.selectFrom('tag').select('id').execute();
  return medias.length + tags.length;
}
