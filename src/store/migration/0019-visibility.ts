import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';

/**
 * Adds private media, whose `is_public` is -1, the visibility that a folder gives to new media, and what lists of jobs are
 * limited by. The triggers that copy `is_public` to files and tags copy -1 as they do 0 and 1.
 */
export async function up(db: Db): Promise<void> {
  const { integer } = columnTypes(db);
  await db.schema.alterTable('media').addColumn('items_visibility', integer).execute();
  await sql`drop index file_by_is_public`.execute(db);
  for (const [name, definition] of Object.entries(INDEXES)) {
    await sql`create index ${sql.ref(name)} on ${sql.raw(definition)}`.execute(db);
  }
}

const INDEXES = {
  media_private: `media (id, owner) where is_public = -1 and type <> 'folder'`,
  file_private: 'file (media_id) where is_public = -1',
  // Clients see -1 and 0 as one value. PostgreSQL reads the index alone only if it has the column of the expression.
  file_by_is_public: 'file ((case when is_public > 0 then 1 else 0 end), uuid, is_public)',
  job_created_by: 'job (created_by, id)',
};
