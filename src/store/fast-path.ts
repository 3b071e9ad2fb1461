import type { Kysely } from 'kysely';
import type { Database } from './table.ts';

/** The adapters of databases. A database shares its adapter with its transactions. */
const adapters = new WeakSet<object>();

/** Makes the queries of a database be built only once: see `prepared.ts`. */
export function enableFastPath(db: Kysely<Database>): Kysely<Database> {
  adapters.add(db.getExecutor().adapter);
  return db;
}

/** Tells whether a database, given by its adapter, keeps prepared queries. */
export function hasFastPath(adapter: object): boolean {
  return adapters.has(adapter);
}
