import { Kysely, type LogEvent } from 'kysely';
import { setFastPath } from './fast-path.ts';
import { PooledAdapter, postgresDialect } from './postgres/dialect.ts';
import { STATEMENT_TIMEOUT_MS } from './query-option.ts';
import { openFileChannels, openMemoryChannels } from './sqlite/channels.ts';
import { createKysely, RoutedAdapter } from './sqlite/kysely.ts';
import type { ConnectionUse } from './sqlite/pool.ts';
import type { OnQuery } from './sqlite/routing.ts';
import type { WriteGate } from './sqlite/writer.ts';
import type { Database } from './table.ts';

/** The executor of every store function: a database, or an open transaction. */
export type Db = Kysely<Database>;

/** The address of the database, the limit of its statements, and an observer. */
export interface OpenDbOptions {
  /** `sqlite:<path>`, or `postgres://…` as libpq reads it. */
  url: string;
  /** Called with every statement and its milliseconds; tests count them. */
  onQuery?: OnQuery;
  /** Whether queries are built once: see `prepared.ts`. (Default: true) */
  isFastPathEnabled?: boolean;
  /** Maximum duration of a statement, in milliseconds. (Default: 10,000) */
  statementTimeoutMs?: number;
  /** Processes of this server that open the database, and share its readers and connections. (Default: 1) */
  workers?: number;
  /** Orders the writes of several processes to a SQLite database. (Default: they compete for its lock) */
  writeGate?: WriteGate | undefined;
}

/** Opens a database without touching its schema; `migrate` does that. Close it with `db.destroy()`. */
export function openDb({ isFastPathEnabled = true, ...options }: OpenDbOptions): Db {
  return setFastPath(open(options), isFastPathEnabled);
}

function open({
  url,
  onQuery,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
  workers = 1,
  writeGate,
}: Omit<OpenDbOptions, 'isFastPathEnabled'>): Db {
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length);
    const channels =
      path === ':memory:'
        ? openMemoryChannels(path)
        : openFileChannels(path, { limitMs: statementTimeoutMs, workers, writeGate });
    return createKysely(channels, onQuery);
  }
  return new Kysely<Database>({
    dialect: postgresDialect({ url, statementTimeoutMs, workers }),
    ...(onQuery && {
      log: (event: LogEvent) => onQuery(event.query.sql, event.queryDurationMillis),
    }),
  });
}

/** Returns the connections of a database, as far as this process has them; null if it has only one. */
export function connectionUse(db: Db): ConnectionUse | null {
  const { adapter } = db.getExecutor();
  if (adapter instanceof RoutedAdapter || adapter instanceof PooledAdapter) return adapter.use();
  return null;
}

/** Opens a database from the bytes of a serialized one: tests get a migrated copy in 0.1 ms. */
export function openSqliteCopy(bytes: Buffer, onQuery?: OnQuery): Db {
  return setFastPath(createKysely(openMemoryChannels(bytes), onQuery), true);
}
