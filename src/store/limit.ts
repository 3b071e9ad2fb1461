import type { Db } from './db.ts';
import { DatabaseUnavailableError } from './error.ts';
import { withQueryOptions } from './query-option.ts';
import { RoutedAdapter } from './sqlite/kysely.ts';

/**
 * Returns the database for one request. When the signal aborts, its reads throw DatabaseUnavailableError, those that
 * run are stopped, and those that wait do not start. Changes go on: they are short, and what a client has sent is kept.
 * `getSignal` is called by the first read that leaves this thread, because most requests need no signal.
 */
export function withSignal(db: Db, getSignal: () => AbortSignal): Db {
  if (db.isTransaction) return db;
  const { adapter } = db.getExecutor();
  if (adapter instanceof RoutedAdapter) return adapter.withSignal(getSignal);
  return withQueryOptions(db, {
    get signal() {
      return getSignal();
    },
  });
}

/**
 * Returns the database for work that may take its time: statements have no time limit, and wait for the lock for ever.
 */
export function withoutTimeLimit(db: Db): Db {
  if (db.isTransaction) return db;
  const { adapter } = db.getExecutor();
  return adapter instanceof RoutedAdapter ? adapter.withPatience('unlimited') : db;
}

/**
 * Makes a change that is not worth a wait, such as the time of a last use: on SQLite it is left out if anyone else
 * writes at the moment, because the request that asks for it only reads.
 */
export async function unlessBusy(db: Db, change: (db: Db) => Promise<unknown>): Promise<void> {
  const { adapter } = db.getExecutor();
  const isRouted = adapter instanceof RoutedAdapter && !db.isTransaction;
  try {
    await change(isRouted ? adapter.withPatience('none') : db);
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
  }
}
