import { type Dialect, Kysely, type LogEvent } from 'kysely';
import { addFastPath, type DirectReader } from './fast-path.ts';
import { postgresDialect } from './postgres.ts';
import { openSqlite } from './sqlite.ts';
import type { Database } from './table.ts';

/** The executor of every store function: a database, or an open transaction. */
export type Db = Kysely<Database>;

/** The address of the database, and an observer of its statements. */
export interface OpenDbOptions {
  /** `sqlite:<path>`, or `postgres://…` as libpq reads it. */
  url: string;
  /** Called with every statement; tests count them. */
  onQuery?: (sql: string) => void;
  /** Whether queries are prepared: see `prepared.ts`. (Default: true) */
  isFastPathEnabled?: boolean;
}

/** Opens a database without touching its schema; `migrate` does that. Close it with `db.destroy()`. */
export function openDb({ url, onQuery, isFastPathEnabled = true }: OpenDbOptions): Db {
  if (url.startsWith('sqlite:')) {
    return open(openSqlite(url.slice('sqlite:'.length)), isFastPathEnabled, onQuery);
  }
  return open({ dialect: postgresDialect(url) }, isFastPathEnabled, onQuery);
}

/** Opens a database from the bytes of a serialized one: tests get a migrated copy in 0.1 ms. */
export function openSqliteCopy(bytes: Buffer, onQuery?: (sql: string) => void): Db {
  return open(openSqlite(bytes), true, onQuery);
}

function open(
  { dialect, direct }: { dialect: Dialect; direct?: DirectReader },
  isFastPathEnabled: boolean,
  onQuery?: (sql: string) => void,
): Db {
  const db = new Kysely<Database>({
    dialect,
    ...(onQuery && { log: (event: LogEvent) => onQuery(event.query.sql) }),
  });
  if (isFastPathEnabled) {
    addFastPath(db.getExecutor().adapter, { direct: direct && observed(direct, onQuery) });
  }
  return db;
}

function observed(direct: DirectReader, onQuery?: (sql: string) => void): DirectReader {
  if (onQuery === undefined) return direct;
  return {
    read(sql, parameters) {
      const rows = direct.read(sql, parameters);
      if (rows !== undefined) onQuery(sql);
      return rows;
    },
  };
}
