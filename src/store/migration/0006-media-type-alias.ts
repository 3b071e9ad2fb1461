import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/** Adds the type that a media item was created with in the Heartcore dialect, whose types are finer than ours. */
export async function up(db: Db): Promise<void> {
  await db.schema.alterTable('media').addColumn('media_type_alias', columnTypes(db).text).execute();
}
