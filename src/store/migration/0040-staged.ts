import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Creates the tables of staged bytes that several machines share: what object storage has of them in parts, and their end,
 * which is too short for a part.
 */
export async function up(db: Db): Promise<void> {
  const { integer, text, binary } = columnTypes(db);
  await db.schema
    .createTable('staged')
    .addColumn('blob_key', text, (c) => c.primaryKey())
    .addColumn('size_bytes', integer, (c) => c.notNull())
    .addColumn('part_bytes', integer, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('multipart_id', text)
    .addColumn('version', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('staged_part')
    .addColumn('blob_key', text, (c) => c.references('staged.blob_key').onDelete('cascade'))
    .addColumn('number', integer)
    .addColumn('size_bytes', integer, (c) => c.notNull())
    .addColumn('etag', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('staged_part_key', ['blob_key', 'number'])
    .execute();
  await db.schema
    .createTable('staged_piece')
    .addColumn('blob_key', text, (c) => c.references('staged.blob_key').onDelete('cascade'))
    .addColumn('position', integer)
    .addColumn('bytes', binary, (c) => c.notNull())
    .addPrimaryKeyConstraint('staged_piece_key', ['blob_key', 'position'])
    .execute();
  // Most files are compressed already. Trying it again would cost more than the insertion.
  if (dialectOf(db) === 'postgres') {
    await sql`alter table staged_piece alter column bytes set storage external`.execute(db);
  }
}
