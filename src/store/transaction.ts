import type { Db } from './db.ts';

/**
 * Runs work in a transaction, or in the one that `db` already is, so that operations compose. Rolls
 * back when the work throws. Inside, use the `db` that is handed in: the outer one would wait for
 * ever on SQLite, which has one connection, and be outside the transaction on PostgreSQL.
 */
export function inTransaction<T>(db: Db, work: (db: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
