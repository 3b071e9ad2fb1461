import type { Db } from './db.ts';
import { RoutedAdapter } from './sqlite/kysely.ts';

/**
 * Returns an executor for reads whose work is a bounded number of index look-ups: by ids, keys and URLs, and pages that
 * one index has in their order. On SQLite they run on this thread, which serves everyone, and so they save the way to
 * another process. Any other read uses `db` itself. A transaction is returned as it is: it reads its own changes.
 */
export function inline(db: Db): Db {
  if (db.isTransaction) return db;
  const { adapter } = db.getExecutor();
  return (adapter instanceof RoutedAdapter && adapter.inline) || db;
}
