import type { Db } from './db.ts';

/**
 * Runs work in a transaction, or in the one that `db` already is, so that operations compose. Rolls back if the work
 * throws. Use only the `db` that is passed in: on SQLite, which has one connection, the outer one would wait for
 * ever; on PostgreSQL it would be outside the transaction.
 */
export function inTransaction<T>(db: Db, work: (db: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
