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

/** The address of the database, and an observer of its statements. */
export interface OpenDbOptions {
  /** `sqlite:<path>`, or `postgres://…` as libpq reads it. */
  url: string;
  /** Called with every statement; tests count them. */
  onQuery?: (sql: string) => void;
}

/** Opens a database without touching its schema; `migrate` does that. Close it with `db.destroy()`. */
export function openDb({ url, onQuery }: OpenDbOptions): Db {
  const dialect = url.startsWith('sqlite:')
    ? sqliteDialect(new SqliteDatabase(url.slice('sqlite:'.length)))
    : postgresDialect(url);
  return new Kysely<Database>({
    dialect,
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
}

/** Opens a database from the bytes of a serialized one: tests get a migrated copy in 0.1 ms. */
export function openSqliteCopy(bytes: Buffer, onQuery?: (sql: string) => void): Db {
  return new Kysely<Database>({
    dialect: sqliteDialect(new SqliteDatabase(bytes)),
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
}

function sqliteDialect(database: SqliteDatabase.Database): SqliteDialect {
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  useWal(database);
  // FULL: an acknowledged commit survives a power cut, not only the death of the process.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  // For `isLike`: folds case as PostgreSQL's `lower` does.
  database.function('fold', { deterministic: true }, (text: unknown) =>
    typeof text === 'string' ? text.toLowerCase() : text,
  );
  return new SqliteDialect({ database: cachingStatements(database) });
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

function postgresDialect(url: string): PostgresDialect {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types: {
      getTypeParser: (oid, format) => integerParser(oid) ?? pg.types.getTypeParser(oid, format),
    },
  });
  // Emitted for an idle connection that is lost; the pool opens another one. Without a listener it would end the
  // process.
  pool.on('error', () => undefined);
  return new NulFreeDialect({ pool });
}

/**
 * Replaces NUL in parameters by a noncharacter. PostgreSQL has no NUL in text, and fails even when one is only
 * searched for. No operation stores one, so that a search finds nothing, as on SQLite.
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

/** Parses `bigint` and `numeric`, the types of `sum` and `count`, as numbers: no value of ours exceeds 2^53. */
function integerParser(oid: number): ((text: string) => number) | undefined {
  return oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC ? Number : undefined;
}
