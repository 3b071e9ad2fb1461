import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { type Db, type OpenDbOptions, openDb } from '../../../src/store/db.ts';
import { withoutTimeout } from '../../../src/store/dialect.ts';
import { inTransaction } from '../../../src/store/transaction.ts';
import { BACKENDS } from '../../support/backend.ts';
import { makeTag } from '../../support/make.ts';
import { type TcpProxy, withTcpProxy } from '../../support/tcp-proxy.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');
const unavailable = (reason: string) => ({ name: 'DatabaseUnavailableError', reason });

describe.skipIf(POSTGRES === undefined)('a PostgreSQL database that goes away', () => {
  it.each(['unsent', 'unanswered'] as const)('a read that is %s runs again', (which) =>
    withDb(async (db, proxy) => {
      await makeTag(db, { name: 'a' });
      proxy.cutAt(/select/, which);
      expect(await names(db)).toEqual(['a']);
      expect(proxy.cuts()).toBe(1);
    }),
  );

  it.each(['unsent', 'unanswered'] as const)(
    'a write that is %s fails, and is done once at most',
    (which) =>
      withDb(async (db, proxy) => {
        proxy.cutAt(/insert into "tag"/, which);
        await expect(makeTag(db, { name: 'a' })).rejects.toMatchObject(unavailable('connection'));
        expect((await names(db)).length).toBeLessThan(2);
        await makeTag(db, { name: 'b' });
        expect(await names(db)).toContain('b');
      }),
  );

  it('a read in a transaction is not repeated: what the transaction has done is lost', () =>
    withDb(async (db, proxy) => {
      const work = inTransaction(db, async (db) => {
        await makeTag(db, { name: 'a' });
        proxy.cutAt(/select/, 'unsent');
        await names(db);
      });
      await expect(work).rejects.toMatchObject(unavailable('connection'));
      expect(await names(db)).toEqual([]);
    }));

  it('a transaction begins on a new connection if the old one is lost', () =>
    withDb(async (db, proxy) => {
      await names(db);
      proxy.cutAt(/begin/, 'unsent');
      await inTransaction(db, (db) => makeTag(db, { name: 'a' }));
      expect([await names(db), proxy.cuts()]).toEqual([['a'], 1]);
    }));

  it.each(['unsent', 'unanswered'] as const)('a commit that is %s fails', (which) =>
    withDb(async (db, proxy) => {
      proxy.cutAt(/commit/, which);
      const work = inTransaction(db, (db) => makeTag(db, { name: 'a' }));
      await expect(work).rejects.toMatchObject(unavailable('connection'));
    }),
  );

  it('the work after the loss of all connections succeeds at once', () =>
    withDb(async (db, proxy) => {
      await Promise.all(Array.from({ length: 10 }, () => sql`select pg_sleep(0.05)`.execute(db)));
      proxy.cutAll();
      expect(await names(db)).toEqual([]);
      await inTransaction(db, (db) => makeTag(db, { name: 'a' }));
    }));

  it('a statement beyond the timeout fails, and its connection goes on', () =>
    withDb(
      async (db) => {
        const slow = sql`select pg_sleep(20)`.execute(db);
        await expect(slow).rejects.toMatchObject(unavailable('timeout'));
        expect(await names(db)).toEqual([]);
      },
      { statementTimeoutMs: 500 },
    ));

  it('a transaction without a timeout may take longer, and the next one may not', () =>
    withDb(
      async (db) => {
        const slow = (db: Db) => sql`select pg_sleep(1)`.execute(db);
        await inTransaction(db, async (db) => slow(await withoutTimeout(db)));
        await expect(inTransaction(db, slow)).rejects.toMatchObject(unavailable('timeout'));
      },
      { statementTimeoutMs: 500 },
    ));

  it('a statement to a server that is silent fails', () =>
    withDb(
      async (db, proxy) => {
        await names(db);
        proxy.hang(true);
        await expect(names(db)).rejects.toMatchObject(unavailable('timeout'));
        proxy.hang(false);
        expect(await names(db)).toEqual([]);
      },
      { statementTimeoutMs: 500 },
    ));

  it('a server that refuses connections is unavailable', async () => {
    const db = openDb({ url: 'postgres://a@127.0.0.1:9/none' });
    await expect(names(db)).rejects.toMatchObject(unavailable('connection'));
    await db.destroy();
  });

  it('a database that does not exist is unavailable', () =>
    withDb(async (_db, _proxy, url) => {
      const db = openDb({ url: `${url}_none` });
      await expect(names(db)).rejects.toMatchObject(unavailable('connection'));
      await db.destroy();
    }));

  it('a mistake in a statement is not: the error stays, and the connection too', () =>
    withDb(async (db) => {
      const pid = async () =>
        (await sql<{ pid: number }>`select pg_backend_pid() pid`.execute(db)).rows;
      const before = await pid();
      await expect(sql`select nothing`.execute(db)).rejects.toMatchObject({ code: '42703' });
      expect(await pid()).toEqual(before);
    }));
});

type Work = (db: Db, proxy: TcpProxy, url: string) => Promise<void>;

async function withDb(work: Work, options: Partial<OpenDbOptions> = {}): Promise<void> {
  await POSTGRES?.withUrl((url) =>
    withTcpProxy(url, async (proxy) => {
      const db = openDb({ url: proxy.through(url), ...options });
      await work(db, proxy, url).finally(() => db.destroy());
    }),
  );
}

async function names(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('tag').select('name').execute();
  return rows.map(({ name }) => name);
}
