import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, inject } from 'vitest';
import { type Db, openDb, openSqliteCopy } from '../../src/store/db.ts';
import { checkNoOpenFiles } from './open-file.ts';
import { withEmpty, withMigrated } from './postgres.ts';

/** A database system that the tests run on. */
export interface Backend {
  name: 'sqlite' | 'postgres';
  /**
   * Runs `work` with the URL of a new database, then deletes the database. Any number of connections
   * may open it. Throws if a connection is left open.
   */
  withUrl<T>(work: (url: string) => Promise<T>, content?: 'migrated' | 'empty'): Promise<T>;
  /**
   * Runs `work` with a migrated, open database and its SQL so far. Cheaper than `withUrl`, but only one connection is
   * open.
   */
  withDb<T>(work: (db: Db, statements: string[]) => Promise<T>): Promise<T>;
}

const { sqlitePath, plainSqlitePath, postgres, isPostgresOnly } = inject('templates');

/** For tests about SQLite. */
export const SQLITE: Backend = {
  name: 'sqlite',
  async withUrl(work, content = 'migrated') {
    const directory = mkdtempSync(join(tmpdir(), 'trivium-sqlite-'));
    const path = join(directory, 'test.db');
    if (content === 'migrated') copyFileSync(sqlitePath, path);
    try {
      const result = await work(`sqlite:${path}`);
      await checkNoOpenFiles(directory);
      return result;
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  withDb: (work) =>
    withOpen((onQuery) => openSqliteCopy(readFileSync(plainSqlitePath), onQuery), work),
};

const POSTGRES: Backend = {
  name: 'postgres',
  async withUrl(work, content = 'migrated') {
    if ('absent' in postgres) throw new Error(postgres.absent);
    return content === 'migrated' ? withMigrated(postgres, work) : withEmpty(postgres, work);
  },
  withDb: (work) =>
    POSTGRES.withUrl((url) => withOpen((onQuery) => openDb({ url, onQuery }), work)),
};

/**
 * SQLite, and PostgreSQL if a server responds at `TEST_POSTGRES_URL` or on this machine; only PostgreSQL if
 * `TRIVIUM_TEST_DATABASE` or the storage of this run says so. The first one is for tests of which one run is enough.
 */
export const BACKENDS: readonly Backend[] =
  'name' in postgres ? [...(isPostgresOnly ? [] : [SQLITE]), POSTGRES] : [SQLITE];

/**
 * Declares a suite that runs once on each backend. An absent backend is reported as skipped, by name. `concurrent`: all
 * its tests run at once, on both backends, for tests that wait most of the time.
 */
export function describeEachBackend(
  name: string,
  suite: (backend: Backend) => void,
  options: { concurrent?: boolean } = {},
): void {
  for (const backend of BACKENDS)
    describe(`${name} on ${backend.name}`, options, () => suite(backend));
  if ('name' in postgres) return;
  const where = new URL(postgres.url).host;
  const reason = `no server responds at ${where} (${postgres.absent})`;
  describe.skip(`${name} on postgres: ${reason}`, () => suite(POSTGRES));
}

async function withOpen<T>(
  open: (onQuery: (sql: string) => void) => Db,
  work: (db: Db, statements: string[]) => Promise<T>,
): Promise<T> {
  const statements: string[] = [];
  const db = open((sql) => statements.push(sql));
  return work(db, statements).finally(() => db.destroy());
}
