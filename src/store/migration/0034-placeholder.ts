import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds what a page needs of an image before it has the image, and the sizes of it that have been made. Existing images get
 * them by `trivium renditions --missing`.
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
