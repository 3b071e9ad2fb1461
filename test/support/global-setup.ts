import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDb } from '../../src/store/db.ts';
import { migrate } from '../../src/store/migrate.ts';
import { fillCompileCache } from './compile-cache.ts';
import { type PostgresTemplate, withName } from './postgres.ts';
import { openBucket } from './s3/bucket-setup.ts';

/** The databases from which the test run copies its own. */
export interface Templates {
  /** Path of a migrated SQLite file, in WAL mode as the program leaves it. */
  sqlitePath: string;
  /** Path of the same database without WAL mode. A database in memory cannot be opened from a file in WAL mode. */
  plainSqlitePath: string;
  /** `absent`: the reason why there is no PostgreSQL. */
  postgres: PostgresTemplate | { url: string; absent: string };
  /** Whether tests that run on both databases, or on any, run on PostgreSQL. */
  isPostgresOnly: boolean;
}

declare module 'vitest' {
  export interface ProvidedContext {
    templates: Templates;
    /** Variables of the bucket in which the tests store files. Null: they store them in directories. */
    bucket: Readonly<Record<string, string>> | null;
  }
}

/** Prefix of the names of test databases. The time of creation follows it. */
const PREFIX = 'trivium_test_';
const STALE_AFTER_MS = 2 * 3_600_000;

/** Creates one migrated template for each backend, once per run. `backend.ts` copies them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-templates-'));
  const sqlitePath = join(directory, 'template.db');
  const [postgres] = await Promise.all([
    makePostgresTemplate(postgresUrl()),
    fillCompileCache(),
    migrateAt(`sqlite:${sqlitePath}`),
  ]);
  const plainSqlitePath = join(directory, 'plain.db');
  await copyFile(sqlitePath, plainSqlitePath);
  leaveWal(plainSqlitePath);
  if ('absent' in postgres) console.warn(`Skipped on PostgreSQL: ${postgres.absent}`);
  const { bucket, stop } = await openBucket(process.env);
  const isPostgresOnly = bucket !== null || process.env.TRIVIUM_TEST_DATABASE === 'postgres';
  if (isPostgresOnly && 'absent' in postgres) throw new Error(postgres.absent);
  project.provide('templates', { sqlitePath, plainSqlitePath, postgres, isPostgresOnly });
  project.provide('bucket', bucket);
  return async () => {
    await stop();
    await rm(directory, { recursive: true });
    if ('name' in postgres)
      await administer(postgres.url, (admin) => dropAll(admin, isOfRun(postgres.name)));
  };
}

function postgresUrl(): string {
  const user = encodeURIComponent(userInfo().username);
  return process.env.TEST_POSTGRES_URL || `postgres://${user}@127.0.0.1:5432/postgres`;
}

async function makePostgresTemplate(url: string): Promise<Templates['postgres']> {
  const name = `${PREFIX}${Date.now()}_${randomBytes(4).toString('hex')}`;
  try {
    await administer(url, async (admin) => {
      await dropAll(admin, isStale);
      await admin.query(`create database ${name}`);
    });
  } catch (error) {
    return { url, absent: error instanceof Error ? error.message : String(error) };
  }
  await migrateAt(withName(url, name));
  return { url, name };
}

async function migrateAt(url: string): Promise<void> {
  const db = openDb({ url });
  await migrate(db).finally(() => db.destroy());
}

function leaveWal(path: string): void {
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = DELETE');
  database.close();
}

async function dropAll(admin: pg.Client, isGone: (name: string) => boolean): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>('select datname from pg_database');
  for (const { datname } of rows.filter(({ datname }) => isGone(datname))) {
    await admin.query(`drop database if exists ${datname} with (force)`);
  }
}

/** Returns a predicate for the names of the template and its copies. */
function isOfRun(template: string): (name: string) => boolean {
  return (name) => name.startsWith(template);
}

/** Returns true for a database that a killed run has left behind. */
function isStale(name: string): boolean {
  const createdAt = Number(name.slice(PREFIX.length).split('_')[0]);
  return name.startsWith(PREFIX) && createdAt < Date.now() - STALE_AFTER_MS;
}

/** Runs `work` on a new connection. Rejects at once if no server responds. */
async function administer<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 });
  await admin.connect();
  return work(admin).finally(() => admin.end());
}
