import { Kysely, type LogEvent } from 'kysely';
import { postgresDialect } from './postgres/dialect.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Database } from './table.ts';

/** The executor of every store function: a database, or an open transaction. */
export type Db = Kysely<Database>;

/** Time after which a statement is given up, unless the configuration says otherwise. */
export const STATEMENT_TIMEOUT_MS = 10_000;

/** The address of the database, the limit of its statements, and an observer. */
export interface OpenDbOptions {
  /** `sqlite:<path>`, or `postgres://…` as libpq reads it. */
  url: string;
  /** Called with every statement; tests count them. */
  onQuery?: (sql: string) => void;
  /** Time after which a statement is given up. (Default: 10 s) */
  statementTimeoutMs?: number;
}

/** Opens a database without touching its schema; `migrate` does that. Close it with `db.destroy()`. */
export function openDb({
  url,
  onQuery,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
}: OpenDbOptions): Db {
  const dialect = url.startsWith('sqlite:')
    ? sqliteDialect(url.slice('sqlite:'.length))
    : postgresDialect({ url, statementTimeoutMs });
  return new Kysely<Database>({
    dialect,
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
}

/** Opens a database from the bytes of a serialized one: tests get a migrated copy in 0.1 ms. */
export function openSqliteCopy(bytes: Buffer, onQuery?: (sql: string) => void): Db {
  return new Kysely<Database>({
    dialect: sqliteDialect(bytes),
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
}
