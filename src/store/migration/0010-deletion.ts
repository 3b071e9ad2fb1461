import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Adds the state of large changes, which jobs make in small transactions: the subtrees and tags that are being deleted,
 * and the tags whose media get new search words. A renamed tag no longer writes the search words of all its media in
 * one statement: the operation that renames it does that in parts.
 */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  await db.schema
    .createTable('deletion')
    .addColumn('node_id', integer, (c) => c.primaryKey().references('media.id').onDelete('cascade'))
    .addColumn('deleted_by', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .execute();
  await db.schema.alterTable('tag').addColumn('deleted_at', integer).execute();
  await db.schema.alterTable('tag').addColumn('deleted_by', text).execute();
  await db.schema.alterTable('tag').addColumn('indexed_up_to', integer).execute();
  await sql`create index tag_unfinished on tag (id)
    where deleted_at is not null or indexed_up_to is not null`.execute(db);
  if (dialectOf(db) === 'postgres') {
    await sql`drop trigger media_search_tag on tag`.execute(db);
    await sql`drop function media_search_tag`.execute(db);
  } else {
    await sql`drop trigger media_search_tag`.execute(db);
  }
}
