import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/** The type that a media was made as on Heartcore's road, whose types are finer than ours. */
export async function up(db: Db): Promise<void> {
  await db.schema.alterTable('media').addColumn('media_type_alias', columnTypes(db).text).execute();
}
