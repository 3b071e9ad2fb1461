import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';
import { createIndexes } from './create-indexes.ts';

/**
 * Adds the log of who did what to which item. It refers to no other table, because it outlives what it names. Each index
 * is the order of one filter, with the newest entry last.
 */
export async function up(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  await db.schema
    .createTable('audit_entry')
    .addColumn('id', id)
    .addColumn('at', integer, (c) => c.notNull())
    .addColumn('actor_kind', text, (c) => c.notNull())
    .addColumn('actor_id', text)
    .addColumn('actor_role', text)
    .addColumn('action', text, (c) => c.notNull())
    .addColumn('target_kind', text, (c) => c.notNull())
    .addColumn('target_id', integer)
    .addColumn('target_name', text)
    .addColumn('details', text, (c) => c.notNull())
    .execute();
  await createIndexes(db, [
    ['audit_at', 'audit_entry', ['at', 'id']],
    ['audit_actor', 'audit_entry', ['actor_id', 'at', 'id']],
    ['audit_action', 'audit_entry', ['action', 'at', 'id']],
    ['audit_target', 'audit_entry', ['target_id', 'target_kind', 'at', 'id']],
  ]);
}
