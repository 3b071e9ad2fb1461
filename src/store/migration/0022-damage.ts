import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Adds the mark of files and versions whose stored bytes are damaged, and the place up to which the library has been read again. The
 * mark is a column, because whoever sends a file reads its row anyway, and it is null almost always. Its index holds the
 * marked files only, so that counting them costs nothing. Bytes under another key are other bytes: a trigger removes the
 * mark.
 */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  for (const table of ['file', 'file_version']) {
    await db.schema.alterTable(table).addColumn('damaged_at', integer).execute();
  }
  await sql`create index file_damaged on file (id) where damaged_at is not null`.execute(db);
  for (const statement of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) {
    await statement.execute(db);
  }
  await db.schema
    .createTable('rehash')
    .addColumn('id', integer, (c) => c.primaryKey())
    .addColumn('read_up_to', text, (c) => c.notNull())
    .addColumn('started_at', integer)
    .execute();
}

const SQLITE = [
  sql`create trigger file_other_bytes after update of blob_key on file
    when new.damaged_at is not null and old.blob_key <> new.blob_key begin
    update file set damaged_at = null where id = new.id; end`,
];

const POSTGRES = [
  sql`create function file_other_bytes() returns trigger language plpgsql as $$
    begin new.damaged_at := null; return new; end $$`,
  sql`create trigger file_other_bytes before update of blob_key on file for each row
    when (new.damaged_at is not null and old.blob_key <> new.blob_key)
    execute function file_other_bytes()`,
];
