import type { Db } from './db.ts';
import { DatabaseUnavailableError, databaseFailure } from './error.ts';
import { withQueryOptions } from './query-option.ts';
import { RoutedAdapter } from './sqlite/kysely.ts';

/**
 * Returns the database for one request. When the signal aborts, its reads throw DatabaseUnavailableError, those that
 * run are stopped, and those that wait do not start. Changes continue: they are short, and the server keeps what a
 * client has sent. Only the first read that leaves this thread calls `getSignal`, because most requests need no signal.
 * The reads of one `owner`, a viewer or an address, do not keep those of others waiting: on PostgreSQL they do not take
 * all connections; on SQLite owners take turns.
 */
export function withSignal(db: Db, getSignal: () => AbortSignal, owner?: string): Db {
  if (db.isTransaction) return db;
  const { adapter } = db.getExecutor();
  if (adapter instanceof RoutedAdapter) return adapter.withSignal(getSignal, owner);
  return withQueryOptions(db, {
    owner,
    get signal() {
      return getSignal();
    },
  });
}

/** Returns the database for long work: statements have no time limit and wait for the lock for ever. */
export function withoutTimeLimit(db: Db): Db {
  if (db.isTransaction) return db;
  const { adapter } = db.getExecutor();
  return adapter instanceof RoutedAdapter ? adapter.withPatience('unlimited') : db;
}

/**
 * Makes a change that is not worth a wait, such as the time of a last use, because its request only reads. It is skipped
 * if the database cannot be written to, and on SQLite while anyone else writes.
 */
export async function unlessBusy(db: Db, change: (db: Db) => Promise<unknown>): Promise<void> {
  const { adapter } = db.getExecutor();
  const isRouted = adapter instanceof RoutedAdapter && !db.isTransaction;
  try {
    await change(isRouted ? adapter.withPatience('none') : db);
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError) && databaseFailure(error) === null)
      throw error;
  }
}
