import type { Db } from './db.ts';
import { withQueryOptions } from './query-option.ts';

/**
 * Returns the same database, or the same transaction, for work that nobody wants once the signal aborts. Then the running
 * query is cancelled, and no other one is sent: all of them throw DatabaseUnavailableError with the reason `cancelled`. A
 * transaction is rolled back, unless its commit has already been sent.
 */
export function withSignal(db: Db, signal: AbortSignal): Db {
  return withQueryOptions(db, { signal });
}
