import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds the mark of a library that `trivium move` copies to another place, or is copying to this database: one row at most.
 * Adds the log of rows that change meanwhile. Triggers that exist only during a move fill it.
 */
export async function up(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  await db.schema
    .createTable('library_move')
    .addColumn('id', integer, (c) => c.primaryKey().notNull())
    .addColumn('move_id', text, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('read_only_until', integer)
    .addColumn('from_database', text, (c) => c.notNull())
    .addColumn('to_database', text)
    .addColumn('from_storage', text)
    .addColumn('to_storage', text)
    .addColumn('blobs_up_to', text, (c) => c.notNull().defaultTo(''))
    .addColumn('dropped', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('move_change')
    .addColumn('id', id)
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('key', text, (c) => c.notNull())
    .addColumn('round', integer)
    .execute();
}
