import SqliteDatabase, { type Statement } from 'better-sqlite3';
import { SqliteDialect, type SqliteStatement } from 'kysely';
import type { DirectReader } from './fast-path.ts';

/** An open SQLite database: for Kysely, and for reads without it. */
export interface OpenSqlite {
  dialect: SqliteDialect;
  direct: DirectReader;
}

/** Opens a SQLite database, given by the path of its file or by its serialized bytes. */
export function openSqlite(source: string | Buffer): OpenSqlite {
  const database = new SqliteDatabase(source);
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  useWal(database);
  // FULL: an acknowledged commit survives a power cut, not only the death of the process.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  // For `isLike`: folds case as PostgreSQL's `lower` does.
  database.function('fold', { deterministic: true }, (text: unknown) =>
    typeof text === 'string' ? text.toLowerCase() : text,
  );
  const caching = cachingStatements(database);
  return {
    dialect: new SqliteDialect({ database: caching }),
    direct: {
      // A transaction of another request must not be read before its commit.
      read: (sql, parameters) =>
        database.inTransaction ? undefined : (caching.prepare(sql).all(parameters) as unknown[]),
    },
  };
}

/** Maximum wait of a statement for another process. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Switches a database to WAL mode. If several processes open a new database at once, SQLite lets only one of them
 * change its mode, and the others get an error at once instead of waiting.
 */
function useWal(database: SqliteDatabase.Database): void {
  for (const endsAt = Date.now() + BUSY_TIMEOUT_MS; ; ) {
    try {
      database.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const isBusy = error instanceof SqliteDatabase.SqliteError && error.code === 'SQLITE_BUSY';
      if (!isBusy || Date.now() > endsAt) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

/**
 * More than the program has statements. A leak of generated ones would show as a slow program, not as a full memory.
 */
const STATEMENTS_MAX = 500;

/**
 * Caches prepared statements: Kysely prepares at every execution, which is 12 % of a list query. Its `begin` becomes
 * `begin immediate`: a transaction that reads before it writes would otherwise fail, instead of waiting, when another
 * process has written in between.
 */
function cachingStatements(database: SqliteDatabase.Database) {
  const statements = new Map<string, Statement<unknown[]>>();
  return {
    close: () => void database.close(),
    prepare(text: string): SqliteStatement {
      let statement = statements.get(text);
      if (statement === undefined) {
        if (statements.size >= STATEMENTS_MAX) statements.clear();
        statement = database.prepare<unknown[]>(text === 'begin' ? 'begin immediate' : text);
        statements.set(text, statement);
      }
      return statement as SqliteStatement;
    },
  };
}
