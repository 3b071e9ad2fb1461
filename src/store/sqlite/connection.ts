import SqliteDatabase, { type Statement as PreparedStatement } from 'better-sqlite3';
import { foldCase } from '../../lib/search-text.ts';

/** A statement with its parameters. */
export interface Statement {
  sql: string;
  parameters: readonly unknown[];
}

/** The rows that a statement returned, or what it changed. */
export interface StatementResult {
  rows: unknown[];
  numAffectedRows?: bigint;
  insertId?: bigint;
}

/** A connection of one thread. Its statements block the thread. */
export interface Connection {
  readonly inTransaction: boolean;
  run(statement: Statement): StatementResult;
  /**
   * Returns a number that is another one after each commit of another connection.
   * https://sqlite.org/pragma.html#pragma_data_version
   */
  dataVersion(): number;
  close(): void;
}

/** Options of a connection. */
export interface ConnectionOptions {
  /**
   * `write`: it may create the file. `query`: it may create the file too, and then refuses every change. `readonly`:
   * the file has to exist.
   */
  access: 'write' | 'query' | 'readonly';
  /** Maximum wait of a statement for another process. It blocks the thread. */
  busyTimeoutMs: number;
}

/** Pages of the log after which a commit copies them into the database: 16 MiB. SQLite's own default is 1000. */
const CHECKPOINT_PAGES = 4000;

/** Opens a SQLite database, given by the path of its file or by its serialized bytes. */
export function openConnection(
  source: string | Buffer,
  { access, busyTimeoutMs }: ConnectionOptions,
): Connection {
  const database = new SqliteDatabase(source, {
    readonly: access === 'readonly',
    timeout: busyTimeoutMs,
  });
  if (access !== 'readonly') useWal(database);
  // FULL: an acknowledged commit survives a power cut, not only the death of the process.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  // A page that many small transactions change is copied into the database less often.
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  if (access === 'query') database.pragma('query_only = ON');
  // For `isLike`.
  database.function('fold', { deterministic: true }, (text: unknown) =>
    typeof text === 'string' ? foldCase(text) : text,
  );
  return cachingStatements(database);
}

/** Maximum wait when another process opens the same database at the same time. */
const OPEN_TIMEOUT_MS = 5000;

/**
 * Switches a database to WAL mode. If several processes open a new database at once, SQLite lets only one of them
 * change its mode, and the others get an error at once instead of waiting.
 */
function useWal(database: SqliteDatabase.Database): void {
  for (const endsAt = Date.now() + OPEN_TIMEOUT_MS; ; ) {
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
 * More than the number of statements of the program. If generated statements leaked, the program would become slow
 * instead of filling the memory.
 */
const STATEMENTS_MAX = 500;

/** Caches prepared statements: to prepare one at every execution takes 12 % of the time of a list. */
function cachingStatements(database: SqliteDatabase.Database): Connection {
  const statements = new Map<string, PreparedStatement<unknown[]>>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= STATEMENTS_MAX) statements.clear();
      statement = database.prepare<unknown[]>(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  const version = database.prepare<[], number>('pragma data_version').pluck();
  return {
    get inTransaction() {
      return database.inTransaction;
    },
    run({ sql, parameters }) {
      const statement = prepare(sql);
      if (statement.reader) return { rows: statement.all(parameters) };
      const { changes, lastInsertRowid } = statement.run(parameters);
      return {
        rows: [],
        numAffectedRows: BigInt(changes),
        insertId: BigInt(lastInsertRowid),
      };
    },
    dataVersion: () => version.get() ?? 0,
    close: () => void database.close(),
  };
}
