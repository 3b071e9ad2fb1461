import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { type Db, openDb } from '../../../src/store/db.ts';
import { inline } from '../../../src/store/inline.ts';
import { withSignal } from '../../../src/store/limit.ts';
import { listTagsByIds } from '../../../src/store/tag/tag.ts';
import { inTransaction } from '../../../src/store/transaction.ts';
import { BACKENDS } from '../../support/backend.ts';
import { makeTag } from '../../support/make.ts';

const sqlite = BACKENDS.find(({ name }) => name === 'sqlite')!;

function withFile(work: (db: Db) => Promise<void>): Promise<void> {
  return sqlite.withUrl(async (url) => {
    const db = openDb({ url });
    await work(db).finally(() => db.destroy());
  });
}

/** A read that never ends. */
const ENDLESS = sql`with recursive n(x) as (select 1 union all select x from n) select x from n where x = 2`;

const countTags = async (db: Db) => (await db.selectFrom('tag').select('id').execute()).length;

it('while a read runs, this thread, other reads and changes go on', () =>
  withFile(async (db) => {
    const client = new AbortController();
    const read = ENDLESS.execute(withSignal(db, () => client.signal));
    let isRunning = true;
    const ended = read.catch((error) => error).finally(() => (isRunning = false));
    await new Promise(setImmediate);
    const { id } = await makeTag(db);
    await inTransaction(db, (db) => makeTag(db));
    expect(await listTagsByIds(db, [id])).toHaveLength(1);
    expect(isRunning).toBe(true);
    client.abort();
    expect(await ended).toMatchObject({ name: 'DatabaseUnavailableError', reason: 'cancelled' });
  }));

it('what is acknowledged, every later read sees, on this thread and on readers', () =>
  withFile(async (db) => {
    for (let count = 1; count <= 20; count++) {
      if (count % 2 === 0) await makeTag(db);
      else await inTransaction(db, (db) => makeTag(db));
      expect(await countTags(inline(db))).toBe(count);
      expect(await countTags(db)).toBe(count);
    }
  }));

it('a transaction sees its own changes, with inline reads too; others do not', () =>
  withFile(async (db) => {
    await inTransaction(db, async (transaction) => {
      await makeTag(transaction);
      expect(await countTags(transaction)).toBe(1);
      expect(await countTags(inline(transaction))).toBe(1);
      expect(await countTags(withSignal(transaction, () => AbortSignal.abort()))).toBe(1);
      expect(await countTags(db)).toBe(0);
      expect(await countTags(inline(db))).toBe(0);
    });
  }));

it('an inline executor refuses changes and transactions', () =>
  withFile(async (db) => {
    await expect(makeTag(inline(db))).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
    await expect(inTransaction(inline(db), makeTag)).rejects.toThrow('have no transaction');
  }));

it('a read with more look-ups than a thread for everyone can bear is not inline', () =>
  withFile(async (db) => {
    expect(inline(db, 4096)).not.toBe(db);
    expect(inline(db, 4097)).toBe(db);
  }));

it('functions, foreign keys, bytes and NUL are the same on every connection', () =>
  withFile(async (db) => {
    const read = async (db: Db) =>
      (await sql`select fold('ÄÖ') as folded, x'00ff' as bytes, ${'a\0b'} as text`.execute(db))
        .rows;
    const rows = [{ folded: 'äö', bytes: expect.any(Uint8Array), text: 'a\0b' }];
    expect(await read(db)).toEqual(rows);
    expect(await read(inline(db))).toEqual(rows);
    expect(await inTransaction(db, read)).toEqual(rows);
    const orphan = sql`insert into media_tag (media_id, tag_id) values (404, 404)`;
    await expect(orphan.execute(db)).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT_FOREIGNKEY',
    });
  }));

it('a statement fails with an error, and does not wait, after the database was closed', () =>
  sqlite.withUrl(async (url) => {
    const db = openDb({ url });
    await makeTag(db);
    await countTags(db);
    await db.destroy();
    await expect(makeTag(db)).rejects.toThrow();
    await expect(countTags(db)).rejects.toThrow();
    await expect(countTags(inline(db))).rejects.toThrow();
  }));
