import SqliteDatabase from 'better-sqlite3';
import { expect, it } from 'vitest';
import {
  createReplacing,
  type Remote,
  startWriterThread,
} from '../../../src/store/sqlite/remote.ts';
import { createWriter, type Writer } from '../../../src/store/sqlite/writer.ts';
import { BACKENDS } from '../../support/backend.ts';

const sqlite = BACKENDS.find(({ name }) => name === 'sqlite')!;

interface Place {
  writer: Writer;
  threads: Remote[];
  /** A connection of another program. */
  other: SqliteDatabase.Database;
  /** The names in the table, in order, as another program sees them. */
  names: () => unknown[];
}

/** Runs `work` with a writer, whose table `entry` has a column `name`. */
function withWriter(work: (place: Place) => Promise<void>, limitMs = 60_000): Promise<void> {
  return sqlite.withUrl(async (url) => {
    const path = url.slice('sqlite:'.length);
    const threads: Remote[] = [];
    const runner = createReplacing(() => {
      const thread = startWriterThread(path);
      threads.push(thread);
      return thread;
    });
    const writer = createWriter(runner, { limitMs, busyMs: 100 });
    const other = new SqliteDatabase(path, { timeout: 0 });
    other.exec('create table entry (name)');
    const names = () => other.prepare('select name from entry order by rowid').pluck().all();
    try {
      await work({ writer, threads, other, names });
    } finally {
      other.close();
      await writer.end();
    }
  });
}

const insert = (name: string) => ({ sql: 'insert into entry values (?)', parameters: [name] });

/** Takes a while, and then changes a row. */
const SLOW = {
  sql: `insert into entry with recursive n(x) as (select 1 union all select x + 1 from n where x < 1e6)
    select 'slow' from n where x = 1e6`,
  parameters: [],
};

it('transactions run in the order in which they began, each as a whole', () =>
  withWriter(async ({ writer, names }) => {
    const run = async (name: string) => {
      const transaction = await writer.begin();
      for (const part of [1, 2]) {
        await transaction.run(insert(`${name}${part}`));
        await new Promise(setImmediate);
      }
      await transaction.commit();
    };
    const changes = [run('a'), run('b'), writer.run(insert('single')), run('c')];
    await Promise.all(changes);
    expect(names()).toEqual(['a1', 'a2', 'b1', 'b2', 'single', 'c1', 'c2']);
  }));

it('others see nothing of a transaction before its commit, and all of it when the commit is acknowledged', () =>
  withWriter(async ({ writer, names }) => {
    const transaction = await writer.begin();
    await transaction.run(insert('a'));
    expect(names()).toEqual([]);
    await transaction.commit();
    expect(names()).toEqual(['a']);
  }));

it('a rollback undoes everything, and lets the next one write', () =>
  withWriter(async ({ writer, names }) => {
    const transaction = await writer.begin();
    await transaction.run(insert('a'));
    await expect(transaction.run({ sql: 'insert into nothing', parameters: [] })).rejects.toThrow();
    await transaction.rollback();
    await writer.run(insert('b'));
    expect(names()).toEqual(['b']);
  }));

it('a statement after the end of its transaction is refused, and not run alone', () =>
  withWriter(async ({ writer, names }) => {
    for (const end of ['commit', 'rollback'] as const) {
      const transaction = await writer.begin();
      await transaction[end]();
      await expect(transaction.run(insert('late'))).rejects.toThrow('The transaction has ended.');
    }
    expect(names()).toEqual([]);
  }));

it('waits for another program, and fails when that takes too long', () =>
  withWriter(async ({ writer, other, names }) => {
    other.exec('begin immediate');
    const transaction = await writer.begin();
    const locked = { name: 'DatabaseUnavailableError', reason: 'busy' };
    await expect(transaction.run(insert('a'))).rejects.toMatchObject(locked);
    await transaction.rollback();
    await expect(writer.run(insert('b'))).rejects.toMatchObject(locked);
    const waiting = writer.run(insert('c'));
    await new Promise(setImmediate);
    other.exec('commit');
    await waiting;
    expect(names()).toEqual(['c']);
  }));

it('fails at once, if it is to have no patience, while anyone else writes', () =>
  withWriter(async ({ writer, other, names }) => {
    const transaction = await writer.begin();
    const eager = () => writer.run(insert('eager'), { patience: 'none' });
    await expect(eager()).rejects.toMatchObject({ reason: 'busy' });
    await transaction.rollback();
    other.exec('begin immediate');
    await expect(eager()).rejects.toMatchObject({ reason: 'busy' });
    other.exec('commit');
    await eager();
    expect(names()).toEqual(['eager']);
  }));

it('a change that takes longer than the limit is undone', () =>
  withWriter(async ({ writer, names }) => {
    // Comes after the slow statement, which the thread cannot stop.
    const settle = () => writer.run(insert('next'), { patience: 'unlimited' });
    await expect(writer.run(SLOW)).rejects.toMatchObject({ reason: 'timeout' });
    await settle();
    const transaction = await writer.begin();
    await expect(transaction.run(SLOW)).rejects.toMatchObject({ reason: 'timeout' });
    await transaction.rollback();
    await settle();
    await writer.run(SLOW, { patience: 'unlimited' });
    expect(names()).toEqual(['next', 'next', 'slow']);
  }, 50));

it('the death of the thread rolls back, fails what ran, and is over with the next statement', () =>
  withWriter(async ({ writer, threads, names }) => {
    const transaction = await writer.begin();
    await transaction.run(insert('a'));
    const waiting = writer.run(insert('b'));
    threads[0]?.kill();
    await expect.poll(() => threads[0]?.isGone).toBe(true);
    const lost = { name: 'DatabaseUnavailableError', reason: 'connection' };
    await expect(transaction.run(insert('a'))).rejects.toMatchObject(lost);
    await expect(transaction.commit()).rejects.toMatchObject(lost);
    await transaction.rollback();
    await waiting;
    expect(names()).toEqual(['b']);
    expect(threads).toHaveLength(2);
  }));
