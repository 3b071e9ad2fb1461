import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import pg from 'pg';
import { encodeGlobalId } from '../src/graphql/id.ts';
import { createApp } from '../src/start/app.ts';
import { parseConfig } from '../src/start/config.ts';
import { openDb } from '../src/store/db.ts';
import { BIG_IDS, type ListOperation, listOperations, type Places } from './million-lists.ts';
import { printLists, type State, type TimedList } from './million-report.ts';
import { migrateAll, seedMillion } from './million-seed.ts';
import { print } from './report.ts';
import { bearerToken, JWT_SECRET, type ServerSetup } from './server.ts';

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

async function benchDatabase(
  setup: ServerSetup,
  options: MillionOptions,
  name: string,
  place: (size: number) => Promise<{ url: string; isNew: boolean; publish: () => unknown }>,
): Promise<void> {
  const lists = new Map<string, TimedList>();
  for (const size of SIZES) {
    print(`\n${name}, ${size.toLocaleString('en')} media`);
    const { url, isNew, publish } = await place(size);
    const startedAt = performance.now();
    if (isNew) await seedMillion(url, size);
    if (isNew) print(`  seeded in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    await publish();
    const published = (await place(size)).url;
    await migrateAll(published);
    await makeSomePrivate(published);
    for (const state of ['bare', 'analysed'] as const) {
      await setStatistics(published, state);
      print(`  measures each list, ${state}`);
      for (const [operation, ms] of await measure(setup, published, options)) {
        const key = `${operation.dialect}: ${operation.name}`;
        const list = lists.get(key) ?? { operation, times: [] };
        lists.set(key, list);
        list.times.push({ size, state, ms });
      }
    }
  }
  printLists(name, [...lists.values()], SIZES);
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

const ADMIN_KEY = 'tvm_the-admin-key-of-the-benchmark';

async function measure(
  { scratch }: ServerSetup,
  databaseUrl: string,
  { only, rounds }: MillionOptions,
) {
  let databaseMs = 0;
  const config = parseConfig({
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    TRIVIUM_JOB_CONCURRENCY: '0',
    TRIVIUM_DATA_DIR: scratch.path('million'),
    TRIVIUM_DATABASE_URL: databaseUrl,
    TRIVIUM_ADMIN_KEY: ADMIN_KEY,
    TRIVIUM_JWT_SECRET: JWT_SECRET,
    TRIVIUM_AUTH: 'open',
  });
  const app = await createApp(config, {
    onQuery: (_sql, ms) => {
      databaseMs += ms;
    },
  });
  try {
    // Not `start()`: the sweep of the start reads all files, whose bytes are missing here, and would be measured too.
    const url = await app.server.listen({ host: config.host, port: config.port });
    const operations = listOperations(await readPlaces(app.services.db)).filter((one) =>
      `${one.dialect}: ${one.name}`.includes(only),
    );
    const editor = await bearerToken();
    const times = new Map<ListOperation, number>();
    for (const operation of operations) {
      const request = async () => {
        databaseMs = 0;
        await send(url, operation, editor);
        return databaseMs;
      };
      times.set(operation, await medianOf(request, rounds).catch(reportFailure));
    }
    return times;
  } finally {
    await app.stop();
  }
}

async function medianOf(request: () => Promise<number>, rounds: number): Promise<number> {
  const first = await request();
  const runs = [];
  for (let round = 0; round < (first > 500 ? 1 : rounds); round += 1) runs.push(await request());
  return runs.sort((a, b) => a - b)[Math.floor(runs.length / 2)] ?? first;
}

/** A list that the server refuses, or that takes longer than a statement may, counts as over the limit. */
function reportFailure(error: Error): number {
  print(`  failed: ${error.message}`);
  return Number.POSITIVE_INFINITY;
}

async function send(
  url: string,
  { path, query, isAnonymous, isEditor, name }: ListOperation,
  editor: string,
): Promise<void> {
  const authorization = isEditor ? editor : `Bearer ${ADMIN_KEY}`;
  const headers = new Headers(isAnonymous ? {} : { authorization });
  if (query !== undefined) headers.set('content-type', 'application/json');
  const body = query === undefined ? {} : { method: 'POST', body: JSON.stringify({ query }) };
  const response = await fetch(url + path, { headers, ...body });
  const text = await response.text();
  if (!response.ok || text.startsWith('{"errors"'))
    throw new Error(`${name}: ${response.status} ${text.slice(0, 500)}`);
}

/** Returns what the operations ask for in a seeded database. */
export async function readPlaces(db: ReturnType<typeof openDb>): Promise<Places> {
  const { uuid } = await db
    .selectFrom('media')
    .where('id', '=', BIG_IDS.folder)
    .select('uuid')
    .executeTakeFirstOrThrow();
  const { media_id } = await db
    .selectFrom('job')
    .where('media_id', 'is not', null)
    .select('media_id')
    .limit(1)
    .executeTakeFirstOrThrow();
  return {
    folderUuid: uuid,
    folderId: encodeGlobalId('Folder', BIG_IDS.folder),
    tagId: encodeGlobalId('Tag', BIG_IDS.tag),
    mediaId: encodeGlobalId('Media', Number(media_id)),
  };
}
