import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds the moves of large subtrees whose rows a job is still rewriting: paths that begin with `stored` mean those that
 * begin with `actual`.
 */
export async function up(db: Db): Promise<void> {
  const { text } = columnTypes(db);
  await db.schema
    .createTable('path_move')
    .addColumn('stored', text, (c) => c.primaryKey())
    .addColumn('actual', text, (c) => c.notNull())
    .execute();
}
