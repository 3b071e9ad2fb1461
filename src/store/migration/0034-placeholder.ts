import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds the placeholder and the traits of an image, and the sizes that have been made of it. `trivium renditions --missing`
 * fills them for existing images.
 */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  for (const name of ['has_alpha', 'is_animated']) {
    await db.schema.alterTable('file').addColumn(name, integer).execute();
  }
  for (const name of ['thumbhash', 'thumbnail_sizes']) {
    await db.schema.alterTable('file').addColumn(name, text).execute();
  }
}
