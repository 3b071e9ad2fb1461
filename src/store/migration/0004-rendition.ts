import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Creates the cache of renditions, which is limited in size. Adds the color of an image. Makes the URL of a
 * file unique.
 */
export async function up(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  await db.schema
    .createTable('rendition')
    .addColumn('id', id)
    .addColumn('file_id', integer, (c) => c.notNull().references('file.id').onDelete('cascade'))
    .addColumn('source_blob_key', text, (c) => c.notNull())
    .addColumn('spec', text, (c) => c.notNull())
    .addColumn('mime_type', text, (c) => c.notNull())
    .addColumn('size_bytes', integer, (c) => c.notNull())
    .addColumn('md5', text, (c) => c.notNull())
    .addColumn('blob_key', text, (c) => c.notNull().unique())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('used_at', integer, (c) => c.notNull())
    .addUniqueConstraint('rendition_spec', ['source_blob_key', 'spec'])
    .execute();
  await db.schema.createIndex('rendition_file').on('rendition').columns(['file_id']).execute();
  // With the size, so that the total size is read from the index alone.
  await db.schema
    .createIndex('rendition_use')
    .on('rendition')
    .columns(['used_at', 'id', 'size_bytes'])
    .execute();
  await db.schema.alterTable('file').addColumn('color', text).execute();
  await db.schema
    .createIndex('file_url')
    .unique()
    .on('file')
    .columns(['dir', 'url_name'])
    .execute();
}
