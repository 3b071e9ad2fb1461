import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds what people write about a media item (alternative text, caption, credit, and custom metadata, whose values are
 * found by key), and what its original says of itself.
 */
export async function up(db: Db): Promise<void> {
  const { integer, real, text } = columnTypes(db);
  for (const name of ['alt_text', 'caption', 'credit', 'metadata', 'details']) {
    await db.schema.alterTable('media').addColumn(name, text).execute();
  }
  for (const name of ['taken_at', 'duration_ms']) {
    await db.schema.alterTable('media').addColumn(name, integer).execute();
  }
  for (const name of ['latitude', 'longitude']) {
    await db.schema.alterTable('media').addColumn(name, real).execute();
  }
  await db.schema
    .createTable('media_metadata')
    .addColumn('media_id', integer, (c) => c.notNull().references('media.id').onDelete('cascade'))
    .addColumn('key', text, (c) => c.notNull())
    .addColumn('value', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('media_metadata_pk', ['media_id', 'key'])
    .execute();
  await sql`create index media_metadata_key on media_metadata (key, value, media_id)`.execute(db);
}
