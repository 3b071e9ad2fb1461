import { Kysely, type LogEvent } from 'kysely';
import { postgresDialect } from './postgres.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Database } from './table.ts';

/** The executor of every store function: a database, or an open transaction. */
export type Db = Kysely<Database>;

/** The address of the database, and an observer of its statements. */
export interface OpenDbOptions {
  /** `sqlite:<path>`, or `postgres://…` as libpq reads it. */
  url: string;
  /** Called with every statement and its milliseconds; tests count them. */
  onQuery?: (sql: string, ms: number) => void;
}

/** Opens a database without touching its schema; `migrate` does that. Close it with `db.destroy()`. */
export function openDb({ url, onQuery }: OpenDbOptions): Db {
  const dialect = url.startsWith('sqlite:')
    ? sqliteDialect(url.slice('sqlite:'.length))
    : postgresDialect(url);
  return new Kysely<Database>({
    dialect,
    ...(onQuery && {
      log: (event: LogEvent) => onQuery(event.query.sql, event.queryDurationMillis),
    }),
  });
}

/** Opens a database from the bytes of a serialized one: tests get a migrated copy in 0.1 ms. */
export function openSqliteCopy(bytes: Buffer, onQuery?: (sql: string, ms: number) => void): Db {
  return new Kysely<Database>({
    dialect: sqliteDialect(bytes),
    ...(onQuery && {
      log: (event: LogEvent) => onQuery(event.query.sql, event.queryDurationMillis),
    }),
  });
}
