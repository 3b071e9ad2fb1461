import type { Selectable } from 'kysely';
import type { Db } from './db.ts';
import { RoutedAdapter } from './sqlite/kysely.ts';
import type { InlineRead } from './sqlite/routing.ts';
import type { Database } from './table.ts';

/** Number of look-ups that take a few milliseconds. A statement with more would delay all requests. */
const LOOKUPS_MAX = 4096;

/**
 * Returns an executor for a read whose work is a bounded number of look-ups in an index: by ids, keys and URLs, and
 * pages that an index has in their order. On SQLite, the read runs on this thread, which serves all requests, and needs
 * no message to another process. A read with too many look-ups gets `db` itself; use `db` for any other read. A
 * transaction is returned as it is, because only the transaction sees its own changes.
 */
export function inline(db: Db, lookups = 1): Db {
  return adapterFor(db, lookups)?.inline ?? db;
}

/** Returns the row whose column has this value. The column has an index, and its values are unique. */
export function findBy<Table extends 'deletion' | 'upload'>(
  db: Db,
  table: Table,
  column: keyof Selectable<Database[Table]> & string,
  value: string | number,
): Promise<Selectable<Database[Table]> | undefined> {
  // Kysely cannot resolve the columns of any `Table`.
  const query = inline(db)
    .selectFrom(table as 'upload')
    .selectAll();
  const found = query.where(column as 'upload_id', '=', value as string).executeTakeFirst();
  return found as Promise<unknown> as Promise<Selectable<Database[Table]> | undefined>;
}

/** Returns the function that runs compiled SQL on this thread; null where `inline` returns `db` itself. */
export function inlineRead(db: Db, lookups: number): InlineRead | null {
  return adapterFor(db, lookups)?.readInline ?? null;
}

/**
 * Returns a number that is another one whenever any other connection, of any process, has committed a change since the
 * last call. Null where it would take a statement of its own, and in a transaction.
 */
export function dataVersion(db: Db): number | null {
  return adapterFor(db, 1)?.dataVersion?.() ?? null;
}

function adapterFor(db: Db, lookups: number): RoutedAdapter | null {
  if (lookups > LOOKUPS_MAX || db.isTransaction) return null;
  const { adapter } = db.getExecutor();
  return adapter instanceof RoutedAdapter ? adapter : null;
}
