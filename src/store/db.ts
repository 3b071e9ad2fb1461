import SqliteDatabase, { type Statement } from 'better-sqlite3';
import {
  Kysely,
  type LogEvent,
  PostgresDialect,
  PostgresQueryCompiler,
  SqliteDialect,
  type SqliteStatement,
} from 'kysely';
import pg from 'pg';
import type { Database } from './table.ts';

/** The executor of every store function: a database, or an open transaction. */
export type Db = Kysely<Database>;

/** Where the database is, and who watches. */
export interface OpenDbOptions {
  /** `sqlite:<path>`, or `postgres://…` as libpq reads it. */
  url: string;
  /** Sees every statement; tests count them. */
  onQuery?: (sql: string) => void;
}

/** Opens a database without touching its schema; `migrate` does that. Closed by `db.destroy()`. */
export function openDb({ url, onQuery }: OpenDbOptions): Db {
  const dialect = url.startsWith('sqlite:')
    ? sqliteDialect(new SqliteDatabase(url.slice('sqlite:'.length)))
    : postgresDialect(url);
  return new Kysely<Database>({
    dialect,
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
}

/** A database from the bytes of a serialized one: how tests get a migrated copy in 0.1 ms. */
export function openSqliteCopy(bytes: Buffer, onQuery?: (sql: string) => void): Db {
  return new Kysely<Database>({
    dialect: sqliteDialect(new SqliteDatabase(bytes)),
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
}

function sqliteDialect(database: SqliteDatabase.Database): SqliteDialect {
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  useWal(database);
  // FULL: a commit that was answered survives a power cut, and not only the death of the process.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  // For `isIn`: what PostgreSQL's `lower` does.
  database.function('fold', { deterministic: true }, (text: unknown) =>
    typeof text === 'string' ? text.toLowerCase() : text,
  );
  return new SqliteDialect({ database: cachingStatements(database) });
}

/** How long a statement waits for another process. */
const BUSY_TIMEOUT_MS = 5000;

/** Of processes that open a new database at once, all but one are refused, and SQLite makes none of them wait. */
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

/** More texts than the program has; a leak of generated ones would show as a slow program, not as a full memory. */
const STATEMENTS_MAX = 500;

/**
 * Kysely prepares at every execution, which is 12 % of a list query. Its `begin` becomes
 * `begin immediate`: a transaction that reads before it writes would otherwise fail, and not wait,
 * when another process has written in between.
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

function postgresDialect(url: string): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types: {
      getTypeParser: (oid, format) => integerParser(oid) ?? pg.types.getTypeParser(oid, format),
    },
  });
  // A connection that is lost while nobody uses it: the pool makes another. Without a listener it would
  // end the process.
  pool.on('error', () => undefined);
  return new NulFreeDialect({ pool });
}

/**
 * PostgreSQL has no NUL in text, and fails on one that is merely looked for. No operation stores one, so
 * it looks for a noncharacter in its place, which finds nothing, as on SQLite.
 */
class NulFreeDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new NulFreeCompiler();
  }
}

class NulFreeCompiler extends PostgresQueryCompiler {
  protected override addParameter(parameter: unknown): void {
    super.addParameter(withoutNul(parameter));
  }
}

function withoutNul(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNul);
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffe') : value;
}

/** `bigint` and `numeric` (what `sum` and `count` give) as numbers: no value of ours passes 2^53. */
function integerParser(oid: number): ((text: string) => number) | undefined {
  return oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC ? Number : undefined;
}
