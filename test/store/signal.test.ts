import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { type Db, openDb } from '../../src/store/db.ts';
import { withSignal } from '../../src/store/limit.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { BACKENDS } from '../support/backend.ts';
import { makeTag } from '../support/make.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');
const CANCELLED = { name: 'DatabaseUnavailableError', reason: 'cancelled' };

describe.skipIf(POSTGRES === undefined)('a database with a signal, on postgres', () => {
  it('cancels the running statement, in the server too', () =>
    withDb(async (db) => {
      const controller = new AbortController();
      const running = sleepFor(
        withSignal(db, () => controller.signal),
        60,
      );
      const refused = expect(running).rejects.toMatchObject(CANCELLED);
      await expect.poll(() => sleeping(db)).toBe(1);
      controller.abort();
      await refused;
      // PostgreSQL sends the error a moment before it reports that it is idle.
      await expect.poll(() => sleeping(db)).toBe(0);
    }));

  it('does not send a statement after the signal', () =>
    withDb(async (db) => {
      const aborted = withSignal(db, () => AbortSignal.abort());
      await expect(makeTag(aborted)).rejects.toMatchObject(CANCELLED);
      expect(await db.selectFrom('tag').select('id').execute()).toEqual([]);
    }));

  it('sends no statement that waits for a connection when the signal aborts', () =>
    withDb(async (db) => {
      const controller = new AbortController();
      const abortable = withSignal(db, () => controller.signal);
      const others = Array.from({ length: 10 }, () => sleepFor(db, 0.3));
      const waiting = makeTag(abortable, { name: 'waiting' });
      const refused = expect(waiting).rejects.toMatchObject(CANCELLED);
      controller.abort();
      await Promise.all([...others, refused]);
      expect(await db.selectFrom('tag').select('id').execute()).toEqual([]);
    }));

  it('leaves connections to others while one owner has many reads that take long', () =>
    withDb(async (db) => {
      const controller = new AbortController();
      const ofOwner = (owner: string) => withSignal(db, () => controller.signal, owner);
      const long = Array.from({ length: 20 }, () => sleepFor(ofOwner('a'), 60));
      const refused = long.map((one) => expect(one).rejects.toMatchObject(CANCELLED));
      await expect.poll(() => sleeping(db)).toBe(5);
      expect(await ofOwner('b').selectFrom('tag').select('id').execute()).toEqual([]);
      await makeTag(ofOwner('a'));
      expect(await sleeping(db)).toBe(5);
      controller.abort();
      await Promise.all(refused);
      await expect.poll(() => sleeping(db)).toBe(0);
    }));

  it('rolls a transaction back, and leaves its connection to others', () =>
    withDb(async (db) => {
      const controller = new AbortController();
      const work = inTransaction(
        withSignal(db, () => controller.signal),
        async (db) => {
          await makeTag(db, { name: 'rolled back' });
          await sleepFor(db, 60);
        },
      );
      const refused = expect(work).rejects.toMatchObject(CANCELLED);
      await expect.poll(() => sleeping(db)).toBe(1);
      controller.abort();
      await refused;
      expect(await db.selectFrom('tag').select('id').execute()).toEqual([]);
    }));

  it('never cancels the statement of somebody else', () =>
    withDb(async (db) => {
      // Statements that end at about the time of the signal, on connections that others use next.
      for (let round = 0; round < 40; round++) {
        const controller = new AbortController();
        const short = sleepFor(
          withSignal(db, () => controller.signal),
          0.004,
        ).catch(() => undefined);
        const others = Array.from({ length: 12 }, () => sleepFor(db, 0.003));
        await sleep(round % 9);
        controller.abort();
        await Promise.all([short, ...others]);
      }
    }));
});

async function withDb(work: (db: Db) => Promise<void>): Promise<void> {
  await POSTGRES?.withUrl(async (url) => {
    const db = openDb({ url });
    await work(db).finally(() => db.destroy());
  });
}

const sleepFor = (db: Db, seconds: number) => sql`select pg_sleep(${seconds})`.execute(db);

/** Returns how many statements sleep in the server. */
async function sleeping(db: Db): Promise<number> {
  const { rows } = await sql`select 1 from pg_stat_activity where datname = current_database()
    and state = 'active' and query like 'select pg_sleep%'`.execute(db);
  return rows.length;
}
