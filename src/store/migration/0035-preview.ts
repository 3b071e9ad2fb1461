import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/** Adds the reason why no preview of an original could be drawn. */
export async function up(db: Db): Promise<void> {
  const { text } = columnTypes(db);
  await db.schema.alterTable('media').addColumn('preview_error', text).execute();
}
