import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { readLines, writeLines } from '../../lib/line-file.ts';
import { type Db, openDb } from '../db.ts';
import { type DialectName, dialectOf, withoutTimeout } from '../dialect.ts';
import { withoutTimeLimit } from '../limit.ts';
import { migrate } from '../migrate.ts';
import type { Report } from '../migration.ts';
import type { BlobRow } from './blob-row.ts';
import { isPostgresEmpty, loadRows } from './postgres-load.ts';
import { withPostgresSnapshot } from './postgres-snapshot.ts';
import { closeSqlite, copySqlite, sqliteBlobs, sqliteMigrations } from './sqlite-snapshot.ts';

/** What a snapshot of a database holds. */
export interface SnapshotContent {
  database: DialectName;
  /** The migrations of the database, oldest first. */
  migrations: string[];
  /** PostgreSQL: the tables. Empty for SQLite, whose snapshot is a database. */
  tables: string[];
  /** PostgreSQL: the last value that the identity of each table has assigned. */
  sequences: Record<string, number>;
}

/** Receives the blobs that a snapshot refers to, in the order of their keys. */
export type TakeBlobs = (blobs: AsyncIterable<BlobRow>) => Promise<void>;

const SQLITE_PREFIX = 'sqlite:';
const SQLITE_FILE = 'database.sqlite';

/**
 * Writes the database, as it is at one moment, to files in a directory, while others use it, in constant memory.
 * PostgreSQL: one compressed file for each table, with the rows as JSON. SQLite: a copy. Calls `takeBlobs` once.
 */
export async function writeSnapshot(
  { db, url, directory }: { db: Db; url: string; directory: string },
  takeBlobs: TakeBlobs,
  onProgress: (fraction: number) => void,
): Promise<SnapshotContent> {
  if (dialectOf(db) === 'postgres') return dumpPostgres(db, directory, takeBlobs, onProgress);
  const path = join(directory, SQLITE_FILE);
  await copySqlite(url.slice(SQLITE_PREFIX.length), path, onProgress);
  await takeBlobs(asynchronous(sqliteBlobs(path)));
  return { database: 'sqlite', migrations: sqliteMigrations(path), tables: [], sequences: {} };
}

function dumpPostgres(
  db: Db,
  directory: string,
  takeBlobs: TakeBlobs,
  onProgress: (fraction: number) => void,
): Promise<SnapshotContent> {
  return withPostgresSnapshot(db, async (snapshot) => {
    const migrations: string[] = [];
    for (const [index, table] of snapshot.tables.entries()) {
      await writeLines(tablePath(directory, table.name), snapshot.rows(table));
      onProgress((index + 1) / snapshot.tables.length);
    }
    for await (const row of readLines(tablePath(directory, 'migration'))) {
      migrations.push((JSON.parse(row) as { name: string }).name);
    }
    await takeBlobs(snapshot.blobs());
    return {
      database: 'postgres',
      migrations: migrations.sort(),
      tables: snapshot.tables.map(({ name }) => name),
      sequences: await snapshot.sequences(),
    };
  });
}

async function* asynchronous<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

function tablePath(directory: string, table: string): string {
  return join(directory, `${table}.ndjson.gz`);
}

/** Returns whether a database does not exist, or has no tables. Creates nothing. */
export async function isDatabaseEmpty(url: string): Promise<boolean> {
  if (url.startsWith(SQLITE_PREFIX)) {
    const path = url.slice(SQLITE_PREFIX.length);
    return fs.stat(path).then(
      ({ size }) => size === 0,
      () => true,
    );
  }
  return withDb(url, isPostgresEmpty);
}

/**
 * Fills an empty database from a snapshot, and migrates it. It is either filled completely or not at all. Leaves out
 * what only the server of the snapshot could continue: see `forgetTransient`.
 */
export async function readSnapshot(
  { url, directory }: { url: string; directory: string },
  content: SnapshotContent,
  report: Report,
): Promise<void> {
  if (content.database === 'postgres') {
    await withDb(url, (db) => fillPostgres(db, directory, content, report));
    return;
  }
  const path = url.slice(SQLITE_PREFIX.length);
  const part = `${path}.restoring`;
  for (const suffix of ['', '-wal', '-shm']) await fs.rm(part + suffix, { force: true });
  await fs.copyFile(join(directory, SQLITE_FILE), part);
  await withDb(SQLITE_PREFIX + part, async (db) => {
    await migrate(db, report);
    await forgetTransient(db);
  });
  await closeSqlite(part);
  await fs.rename(part, path);
}

function fillPostgres(
  db: Db,
  directory: string,
  { tables, sequences, migrations }: SnapshotContent,
  report: Report,
): Promise<void> {
  return withoutTimeLimit(db)
    .transaction()
    .execute(async (limited) => {
      const db = await withoutTimeout(limited);
      await migrate(db, report, migrations);
      const rows = (table: string) => readLines(tablePath(directory, table));
      await loadRows(db, { tables, rows, sequences });
      await migrate(db, report);
      await forgetTransient(db);
    });
}

/**
 * Deletes the rows of a restored database that nothing stands behind: renditions, whose bytes are made again, open
 * uploads, whose bytes are not in a backup, and holds. Ends all sessions: one may have been revoked since.
 */
async function forgetTransient(db: Db): Promise<void> {
  await db.deleteFrom('rendition').execute();
  await db.updateTable('file').set({ thumbnail_sizes: null }).execute();
  await db.deleteFrom('upload').where('status', '=', 'open').execute();
  await db.deleteFrom('session').execute();
  await db.deleteFrom('blob_hold').execute();
}

async function withDb<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = openDb({ url });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
