import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/** Adds the holds of running backups, during which no blob may be deleted. */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  await db.schema
    .createTable('blob_hold')
    .addColumn('token', text, (c) => c.primaryKey().notNull())
    .addColumn('held_until', integer, (c) => c.notNull())
    .execute();
}
