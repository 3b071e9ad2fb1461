import type { Kysely } from 'kysely';
import type { Database } from './table.ts';

/** The adapters of databases. A database shares its adapter with its transactions. */
const adapters = new WeakSet<object>();

/** Sets whether the queries of a database are built once: see `prepared.ts`. Returns the database. */
export function setFastPath(db: Kysely<Database>, isEnabled: boolean): Kysely<Database> {
  const { adapter } = db.getExecutor();
  if (isEnabled) adapters.add(adapter);
  else adapters.delete(adapter);
  return db;
}

/** Tells whether a database, given by its adapter, keeps prepared queries. */
export function hasFastPath(adapter: object): boolean {
  return adapters.has(adapter);
}
