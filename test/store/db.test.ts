import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import { openDb } from '../../src/store/db.ts';
import { listTagsByIds } from '../../src/store/tag/tag.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { makeFileRow, makeMediaRow, makeTag } from '../support/make.ts';

describeEachBackend('openDb', (backend) => {
  it('runs statements and reports each of them', () =>
    backend.withUrl(async (url) => {
      const seen: string[] = [];
      const db = openDb({ url, onQuery: (text) => seen.push(text) });
      await sql`select 1`.execute(db).finally(() => db.destroy());
      expect(seen).toEqual(['select 1']);
    }));

  it('returns 64-bit integers, counts and sums as numbers', () =>
    backend.withDb(async (db) => {
      const mediaId = await makeMediaRow(db);
      const sizeBytes = 2 ** 52 + 1;
      await makeFileRow(db, mediaId, { size_bytes: sizeBytes });
      const row = await db
        .selectFrom('file')
        .select((eb) => [
          eb.fn.max('size_bytes').as('max'),
          eb.fn.sum('size_bytes').as('sum'),
          eb.fn.countAll().as('count'),
        ])
        .executeTakeFirstOrThrow();
      expect(row).toEqual({ max: sizeBytes, sum: sizeBytes, count: 1 });
    }));

  it('returns binary values unchanged', () =>
    backend.withDb(async (db) => {
      const digest_state = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const upload = { upload_id: 'a', filename: 'a', blob_key: 'a', status: 'open' as const };
      const sizes = {
        total_bytes: 1,
        offset_bytes: 1,
        expires_at: 0,
        created_at: 0,
        updated_at: 0,
      };
      const values = { ...upload, ...sizes, owner: null, declared_type: null, digest_state };
      await db
        .insertInto('upload')
        .values({ ...values, media_id: null })
        .execute();
      const row = await db.selectFrom('upload').select('digest_state').executeTakeFirstOrThrow();
      expect(Uint8Array.from(row.digest_state)).toEqual(digest_state);
    }));

  it('a row that refers to a missing row is refused', () =>
    backend.withDb(async (db) => {
      await expect(makeFileRow(db, 404)).rejects.toThrow(/foreign key/i);
    }));
});

const postgres = BACKENDS.find(({ name }) => name === 'postgres');

describe.skipIf(!postgres)('openDb on postgres', () => {
  it('replaces idle connections that are lost', () =>
    postgres!.withUrl(async (url) => {
      const [db, other] = [openDb({ url }), openDb({ url })];
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
      await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(other);
      await vi.waitFor(() => sql`select 1`.execute(db));
      await Promise.all([db.destroy(), other.destroy()]);
    }));
});

describe('openDb on sqlite', () => {
  const sqlite = BACKENDS.find(({ name }) => name === 'sqlite')!;

  it('a commit survives a power cut: WAL, written through', () =>
    sqlite.withUrl(async (url) => {
      const db = openDb({ url });
      const pragma = async (name: string) =>
        (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db)).rows[0];
      expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' });
      expect(await pragma('synchronous')).toEqual({ synchronous: 2 });
      await db.destroy();
    }));

  it('a statement is prepared once, however often it runs', () =>
    sqlite.withDb(async (db) => {
      const prepare = vi.spyOn(SqliteDatabase.prototype, 'prepare');
      try {
        await listTagsByIds(db, [1]);
        await listTagsByIds(db, [2, 3]);
        await listTagsByIds(db, []);
        expect(prepare).toHaveBeenCalledTimes(1);
      } finally {
        prepare.mockRestore();
      }
    }));

  it('more statements than the cache holds all work', () =>
    sqlite.withDb(async (db) => {
      const run = async (value: number) =>
        (await sql.raw<{ value: number }>(`select ${value} as value`).execute(db)).rows[0]?.value;
      for (let value = 0; value < 1200; value++) expect(await run(value)).toBe(value);
      expect(await run(0)).toBe(0);
    }));

  it('a prepared statement outlives a change of its table', () =>
    sqlite.withDb(async (db) => {
      const { id } = await makeTag(db);
      await listTagsByIds(db, [id]);
      await sql`alter table tag add column extra text default 'new'`.execute(db);
      expect(await listTagsByIds(db, [id])).toMatchObject([{ extra: 'new' }]);
    }));

  it('a transaction holds the write lock from its start, so that no other one writes between its statements', () =>
    sqlite.withUrl(async (url) => {
      const db = openDb({ url });
      const other = new SqliteDatabase(url.slice('sqlite:'.length), { timeout: 0 });
      await inTransaction(db, async (db) => {
        await db.selectFrom('tag').selectAll().execute();
        expect(() => other.exec('update media set name = name')).toThrow(/locked/);
        await makeTag(db);
      });
      other.exec('update media set name = name');
      other.close();
      await db.destroy();
    }));
});
