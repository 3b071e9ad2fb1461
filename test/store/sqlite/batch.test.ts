import SqliteDatabase from 'better-sqlite3';
import { expect, it } from 'vitest';
import { startWriterThread } from '../../../src/store/sqlite/remote.ts';
import type { Work } from '../../../src/store/sqlite/work.ts';
import { createWriter, type Writer } from '../../../src/store/sqlite/writer.ts';
import { BACKENDS } from '../../support/backend.ts';

const sqlite = BACKENDS.find(({ name }) => name === 'sqlite')!;

interface Place {
  writer: Writer;
  /** What the thread has been sent, in order. */
  sent: Work[];
  /** The names in the table, in order, as another program sees them. */
  names: () => unknown[];
}

/** On a busy machine, a transaction takes longer than others may join by default. */
const LIMITS = { limitMs: 60_000, busyMs: 100, joinMs: 60_000 };

/** Runs `work` with a writer, whose table `entry` has a unique column `name`. */
function withWriter(work: (place: Place) => Promise<void>): Promise<void> {
  return sqlite.withUrl(async (url) => {
    const path = url.slice('sqlite:'.length);
    const thread = startWriterThread(path);
    const sent: Work[] = [];
    const run = (work: Work) => {
      sent.push(work);
      return thread.run(work);
    };
    const writer = createWriter({ run, end: thread.end }, LIMITS);
    const other = new SqliteDatabase(path);
    other.exec('create table entry (name unique)');
    const names = () => other.prepare('select name from entry order by rowid').pluck().all();
    try {
      await work({ writer, sent, names });
    } finally {
      other.close();
      await writer.end();
    }
  });
}

const insert = (name: string) => ({ sql: 'insert into entry values (?)', parameters: [name] });
const countCommits = (sent: readonly Work[]) => sent.filter(({ end }) => end === 'commit').length;

/** Inserts several names in a transaction. */
async function insertAll(writer: Writer, ...names: string[]): Promise<void> {
  const transaction = await writer.begin();
  try {
    for (const name of names) await transaction.run(insert(name));
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
  await transaction.commit();
}

it('transactions that wait for each other share a commit, and are acknowledged after it', () =>
  withWriter(async ({ writer, sent, names }) => {
    const seen: unknown[][] = [];
    const changes = [
      insertAll(writer, 'a1', 'a2'),
      writer.run(insert('b')),
      insertAll(writer, 'c1', 'c2'),
      writer.run(insert('d')),
    ];
    await Promise.all(changes.map((change) => change.then(() => seen.push(names()))));
    const all = ['a1', 'a2', 'b', 'c1', 'c2', 'd'];
    expect(seen).toEqual([all, all, all, all]);
    expect(countCommits(sent)).toBe(1);
  }));

it('a transaction alone is committed at once', () =>
  withWriter(async ({ writer, sent }) => {
    await insertAll(writer, 'a');
    await writer.run(insert('b'));
    expect(countCommits(sent)).toBe(2);
  }));

it('a transaction that fails undoes nothing of the others in its batch', () =>
  withWriter(async ({ writer, sent, names }) => {
    const changes = [
      insertAll(writer, 'a'),
      insertAll(writer, 'lost 1', 'a'),
      writer.run(insert('b')),
      writer.run(insert('b')),
      insertAll(writer, 'c', 'd'),
      insertAll(writer, 'lost 2', 'd'),
    ];
    const results = await Promise.allSettled(changes);
    const [stored, refused] = ['fulfilled', 'rejected'];
    expect(results.map(({ status }) => status)).toEqual([
      stored,
      refused,
      stored,
      refused,
      stored,
      refused,
    ]);
    expect(names()).toEqual(['a', 'b', 'c', 'd']);
    expect(countCommits(sent)).toBe(1);
  }));

it('an error that ends the whole batch is told to each of its transactions, and the next ones are stored', () =>
  withWriter(async ({ writer, names }) => {
    // What SQLite itself does when the disk is full.
    const end = { sql: 'insert or rollback into entry values (?)', parameters: ['a'] };
    const [before, ending, ...after] = await Promise.allSettled([
      insertAll(writer, 'a'),
      writer.run(end),
      insertAll(writer, 'a'),
      writer.run(insert('b')),
    ]);
    expect(before).toMatchObject({ reason: { name: 'DatabaseUnavailableError' } });
    expect(ending).toMatchObject({ reason: { code: 'SQLITE_CONSTRAINT_UNIQUE' } });
    expect(after.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(names()).toEqual(['a', 'b']);
  }));

it('a statement that may not run in a transaction waits for the commit of those before it', () =>
  withWriter(async ({ writer, names }) => {
    const changes = [
      writer.run(insert('a')),
      writer.run({ sql: 'vacuum', parameters: [] }),
      writer.run(insert('b')),
    ];
    await Promise.all(changes);
    expect(names()).toEqual(['a', 'b']);
  }));

it('many transactions at once are committed in batches of at most 32', () =>
  withWriter(async ({ writer, sent, names }) => {
    const all = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(all.map((name) => writer.run(insert(name))));
    expect(names()).toEqual(all);
    const batches = Map.groupBy(sent, ({ batch }) => batch);
    expect(Math.max(...[...batches.values()].map(({ length }) => length))).toBeLessThanOrEqual(32);
    expect(countCommits(sent)).toBeLessThan(50);
  }));
