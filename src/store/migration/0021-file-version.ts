import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { type ColumnTypes, columnTypes, dialectOf } from '../dialect.ts';

/**
 * Adds the files that originals have replaced, which count for quotas as files do, and the names that their URLs had.
 * Neither table has a foreign key: the row of a media item may move to another table and come back.
 */
export async function up(db: Db): Promise<void> {
  const types = columnTypes(db);
  await createVersions(db, types);
  await db.schema
    .createTable('file_address')
    .addColumn('media_id', types.integer, (c) => c.notNull())
    .addColumn('url_name', types.text, (c) => c.notNull())
    .addPrimaryKeyConstraint('file_address_pk', ['media_id', 'url_name'])
    .execute();
  await (dialectOf(db) === 'postgres' ? countOnPostgres(db) : countOnSqlite(db));
}

async function createVersions(db: Db, { id, integer, text }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('file_version')
    .addColumn('id', id)
    .addColumn('uuid', text, (c) => c.notNull().unique())
    .addColumn('media_id', integer, (c) => c.notNull())
    .addColumn('type', text, (c) => c.notNull())
    .addColumn('filename', text, (c) => c.notNull())
    .addColumn('mime_type', text, (c) => c.notNull())
    .addColumn('size_bytes', integer, (c) => c.notNull())
    .addColumn('md5', text, (c) => c.notNull())
    .addColumn('sha256', text)
    .addColumn('width', integer)
    .addColumn('height', integer)
    .addColumn('blob_key', text, (c) => c.notNull().unique())
    .addColumn('created_by', text)
    .addColumn('client_hash', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('replaced_by', text)
    .addColumn('replaced_at', integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('file_version_media')
    .on('file_version')
    .columns(['media_id', 'id'])
    .execute();
}

/** The subjects that a row counts for, as in migration 0009. */
const SUBJECTS = (row: string) => [
  `'all'`,
  `case when ${row}.created_by is not null then 'viewer:' || ${row}.created_by
    when ${row}.client_hash is not null then 'anonymous:' || ${row}.client_hash end`,
  `'address:' || ${row}.client_hash`,
];

async function countOnSqlite(db: Db): Promise<void> {
  const add = (row: string, sign: '' | '-') =>
    SUBJECTS(row)
      .map(
        (subject) => `insert into usage (subject, stored_bytes)
          select ${subject}, ${sign}${row}.size_bytes where ${subject} is not null
          on conflict (subject) do update set stored_bytes = stored_bytes + excluded.stored_bytes;`,
      )
      .join('\n');
  await run(
    db,
    `create trigger usage_version_insert after insert on file_version begin ${add('new', '')} end`,
  );
  await run(
    db,
    `create trigger usage_version_delete after delete on file_version begin ${add('old', '-')} end`,
  );
}

async function countOnPostgres(db: Db): Promise<void> {
  const trigger = async (name: string, event: string, sign: '' | '-') => {
    const inserts = SUBJECTS('changed').map(
      (subject) => `insert into usage (subject, stored_bytes)
        select ${subject}, ${sign}sum(changed.size_bytes) from changed
        where ${subject} is not null group by 1;`,
    );
    await run(
      db,
      `create function ${name}() returns trigger language plpgsql as $$
        begin ${inserts.join('\n')} return null; end $$`,
    );
    await run(db, `create trigger ${name} ${event} execute function ${name}()`);
  };
  const rows = (kind: 'new' | 'old') => `referencing ${kind} table as changed for each statement`;
  await trigger('usage_version_insert', `after insert on file_version ${rows('new')}`, '');
  await trigger('usage_version_delete', `after delete on file_version ${rows('old')}`, '-');
}

async function run(db: Db, statement: string): Promise<void> {
  await sql.raw(statement).execute(db);
}
