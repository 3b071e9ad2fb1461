import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import pg from 'pg';
import { openDb } from '../src/store/db.ts';
import type { ListOperation } from './million-lists.ts';
import { printLists, type State, type TimedList } from './million-report.ts';
import { migrateAll, seedMillion } from './million-seed.ts';
import { type MeasuredServer, withServers } from './million-server.ts';
import { print } from './report.ts';
import type { ServerSetup } from './server.ts';

export interface MillionOptions {
  rounds: number;
  /** Only operations whose name contains this. */
  only: string;
  database: 'sqlite' | 'postgres' | 'both';
  /** Parent of the directory that keeps seeded SQLite databases. */
  dir: string;
  /** Keeps the seeded databases, so that the next run need not seed them. */
  keep: boolean;
}

const SIZES = [10_000, 1_000_000] as const;

/** Every list of every dialect at 10,000 and at a million media, with and without statistics of the planner. */
export async function benchMillion(setup: ServerSetup, options: MillionOptions): Promise<void> {
  // The store's threads alone do not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  await benchAll(setup, options).finally(() => clearInterval(alive));
}

async function benchAll(setup: ServerSetup, options: MillionOptions): Promise<void> {
  const postgresUrl = process.env.TEST_POSTGRES_URL;
  if (options.database !== 'postgres') {
    try {
      await benchDatabase(setup, options, 'SQLite', (size) => sqliteUrl(options.dir, size));
    } finally {
      if (!options.keep) dropSqlite(options.dir);
    }
  }
  if (options.database === 'sqlite') return;
  if (!postgresUrl) {
    if (options.database === 'postgres') throw new Error('Set TEST_POSTGRES_URL.');
    print('\nNo TEST_POSTGRES_URL: nothing is measured on PostgreSQL.');
    return;
  }
  try {
    await benchDatabase(setup, options, 'PostgreSQL', (size) => createPostgres(postgresUrl, size));
  } finally {
    if (!options.keep) await dropPostgres(postgresUrl);
  }
}

/** A place for the database of a size. A new one is to be filled, then published. */
type Place = (size: number) => Promise<{ url: string; isNew: boolean; publish: () => unknown }>;

async function benchDatabase(
  setup: ServerSetup,
  options: MillionOptions,
  name: string,
  place: Place,
): Promise<void> {
  const urls: string[] = [];
  for (const size of SIZES) urls.push(await seeded(name, size, place));
  const lists = new Map<string, TimedList>();
  for (const state of ['bare', 'analysed'] as const) {
    for (const url of urls) await setStatistics(url, state);
    print(`  measures each list, ${state}`);
    await withServers(setup, urls, async (servers) => {
      for await (const { operation, times } of measure(servers, options)) {
        const key = `${operation.dialect}: ${operation.name}`;
        const list = lists.get(key) ?? { operation, times: [] };
        lists.set(key, list);
        for (const [index, ms] of times.entries())
          list.times.push({ size: SIZES[index] ?? 0, state, ms });
      }
    });
  }
  printLists(name, [...lists.values()], SIZES);
}

/** Returns the URL of a database with media, which it fills unless an earlier run has kept it. */
async function seeded(name: string, size: number, place: Place): Promise<string> {
  print(`\n${name}, ${size.toLocaleString('en')} media`);
  const { url, isNew, publish } = await place(size);
  const startedAt = performance.now();
  if (isNew) await seedMillion(url, size);
  if (isNew) print(`  seeded in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  await publish();
  const published = (await place(size)).url;
  await migrateAll(published);
  await makeSomePrivate(published);
  return published;
}

/** Returns the URL of the seeded database of a size. A new one is to be filled, then published. */
export async function sqliteUrl(dir: string, size: number) {
  const directory = sqliteDirectory(dir);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${size}.db`);
  if (existsSync(path)) return { url: `sqlite:${path}`, isNew: false, publish: () => undefined };
  // A seed that was interrupted must not pass for a whole one.
  const partial = join(directory, `${size}-${process.pid}.db`);
  return { url: `sqlite:${partial}`, isNew: true, publish: () => renameSync(partial, path) };
}

function sqliteDirectory(dir: string): string {
  return join(dir, 'trivium-bench-million');
}

/** Leaves databases of other sizes, which belong to the part `neighbours`. */
function dropSqlite(dir: string): void {
  for (const size of SIZES)
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(sqliteDirectory(dir), `${size}.db${suffix}`), { force: true });
}

/** Returns the name of the PostgreSQL database that the part `million` seeds. */
export const databaseName = (size: number) => `trivium_bench_million_${size}`;

async function createPostgres(server: string, size: number) {
  const url = new URL(server);
  const name = databaseName(size);
  // A seed that was interrupted must not pass for a whole one.
  const partial = partialName(size);
  return administer(server, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    const isNew = found.rowCount === 0;
    if (isNew) await client.query(`drop database if exists ${partial} with (force)`);
    if (isNew) await client.query(`create database ${partial}`);
    url.pathname = isNew ? partial : name;
    const rename = () =>
      administer(server, (other) => other.query(`alter database ${partial} rename to ${name}`));
    return { url: url.href, isNew, publish: isNew ? rename : () => undefined };
  });
}

const partialName = (size: number) => `${databaseName(size)}_partial`;

async function dropPostgres(server: string): Promise<void> {
  await administer(server, async (client) => {
    for (const name of SIZES.flatMap((size) => [databaseName(size), partialName(size)]))
      await client.query(`drop database if exists ${name} with (force)`);
  });
}

/** Runs `work` with a connection to a PostgreSQL server. */
export async function administer<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return work(client).finally(() => client.end());
}

/** Makes one media item in 500 private, unless some are: an editor does not see them. */
async function makeSomePrivate(url: string): Promise<void> {
  const db = openDb({ url, statementTimeoutMs: 600_000 });
  try {
    const isPrivate = db.selectFrom('media').where('is_public', '=', -1).select('id').limit(1);
    if ((await isPrivate.executeTakeFirst()) !== undefined) return;
    const hidden = sql`update media set is_public = -1 where id % 500 = 0 and type <> 'folder'`;
    await hidden.execute(db);
  } finally {
    await db.destroy();
  }
}

/** `bare`: the planner knows nothing of the data, as before the first `ANALYZE`. On PostgreSQL, vacuumed all the same: the server does so by itself. */
async function setStatistics(url: string, state: State): Promise<void> {
  if (url.startsWith('sqlite:')) {
    // Not through the store, which ends a statement after 10 s.
    const database = new SqliteDatabase(url.slice('sqlite:'.length));
    database.exec('analyze');
    if (state === 'bare') database.exec('delete from sqlite_stat1');
    database.pragma('wal_checkpoint(truncate)');
    database.close();
    return;
  }
  await administer(url, async (client) => {
    await client.query('vacuum analyze');
    if (state === 'analysed') return;
    await client.query(`delete from pg_statistic where starelid in
      (select oid from pg_class where relnamespace = 'public'::regnamespace)`);
  });
}

/**
 * Measures each list on all servers in turn, so that other programs disturb the times of all sizes alike. Yields the
 * medians, in the order of the servers.
 */
async function* measure(
  servers: readonly MeasuredServer[],
  { only, rounds }: MillionOptions,
): AsyncGenerator<{ operation: ListOperation; times: number[] }> {
  for (const [index, operation] of (servers[0]?.operations ?? []).entries()) {
    if (!`${operation.dialect}: ${operation.name}`.includes(only)) continue;
    const runs: number[][] = servers.map(() => []);
    for (let round = 0; round <= rounds; round += 1) {
      for (const [at, { operations, request }] of servers.entries()) {
        const own = operations[index];
        if (own) runs[at]?.push(await request(own).catch(reportFailure));
      }
      if (runs.some(([first = 0]) => first > LONG_MS)) break;
    }
    yield { operation, times: runs.map(medianOf) };
  }
}

/** A list that takes longer is measured once. */
const LONG_MS = 500;

/** Returns the median of all runs but the first, which warms up, unless it is the only one. */
function medianOf([first = Number.NaN, ...runs]: readonly number[]): number {
  return runs.sort((a, b) => a - b)[Math.floor(runs.length / 2)] ?? first;
}

/** A list that the server refuses, or that takes longer than a statement may, counts as over the limit. */
function reportFailure(error: Error): number {
  print(`  failed: ${error.message}`);
  return Number.POSITIVE_INFINITY;
}
