import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Adds the trash. The rows of a deleted node leave `media`, `file` and `media_tag`, so that no list, count or uniqueness
 * rule has to know of the trash; these tables keep them as JSON. A later migration that renames or drops a column of
 * those tables has to change the JSON as well; a column that is added gets its default when the row is restored.
 */
export async function up(db: Db): Promise<void> {
  await createNodes(db);
  await createRows(db);
  await createWork(db);
  const { text } = columnTypes(db);
  // Null: a deletion for ever, as all are that an earlier version has begun.
  await db.schema.alterTable('deletion').addColumn('trash', text).execute();
  for (const statement of triggers(db)) await statement.execute(db);
}

async function createNodes(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  await db.schema
    .createTable('trashed_node')
    .addColumn('id', integer, (c) => c.primaryKey())
    .addColumn('deletion', text, (c) => c.notNull())
    .addColumn('place', text, (c) => c.notNull())
    .addColumn('is_top', integer, (c) => c.notNull())
    .addColumn('is_owner_top', integer, (c) => c.notNull())
    .addColumn('deleted_at', integer, (c) => c.notNull())
    .addColumn('deleted_by', text)
    .addColumn('type', text, (c) => c.notNull())
    .addColumn('parent_id', integer)
    .addColumn('path', text, (c) => c.notNull())
    .addColumn('owner', text)
    .addColumn('client_hash', text)
    .addColumn('resource', text, (c) => c.notNull())
    .addColumn('row', text, (c) => c.notNull())
    .addColumn('jobs', text, (c) => c.notNull())
    .execute();
  await index(db, 'trashed_node_place on trashed_node (deletion, place, id)');
  await index(db, 'trashed_node_resource on trashed_node (resource)');
  await index(db, 'trashed_node_top on trashed_node (deleted_at, id) where is_top = 1');
  await index(
    db,
    'trashed_node_owner on trashed_node (owner, deleted_at, id) where is_owner_top = 1',
  );
}

async function createRows(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  await db.schema
    .createTable('trashed_row')
    .addColumn('id', id)
    .addColumn('node_id', integer, (c) =>
      c.notNull().references('trashed_node.id').onDelete('cascade'),
    )
    .addColumn('source', text, (c) => c.notNull())
    .addColumn('row', text, (c) => c.notNull())
    .addColumn('blob_key', text, (c) => c.unique())
    .addColumn('size_bytes', integer, (c) => c.notNull().defaultTo(0))
    .addColumn('md5', text)
    .addColumn('sha256', text)
    .addColumn('damaged_at', integer)
    .addColumn('created_by', text)
    .addColumn('client_hash', text)
    .execute();
  await index(db, 'trashed_row_node on trashed_row (node_id)');
}

async function createWork(db: Db): Promise<void> {
  const { id, integer, text } = columnTypes(db);
  await db.schema
    .createTable('trash_work')
    .addColumn('id', id)
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('deletion', text, (c) => c.notNull())
    .addColumn('below', text, (c) => c.notNull())
    .addColumn('below_end', text, (c) => c.notNull())
    .addColumn('created_by', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .execute();
  await index(db, 'trash_work_deletion on trash_work (deletion)');
}

async function index(db: Db, definition: string): Promise<void> {
  await sql.raw(`create index ${definition}`).execute(db);
}

interface Counted {
  table: string;
  owner: string;
  column: string;
  value: (row: string) => string;
  when: (row: string) => string;
}

/** What is in the trash counts in `usage` as it did before, until it is purged. */
const COUNTED: readonly Counted[] = [
  {
    table: 'trashed_node',
    owner: 'owner',
    column: 'items',
    value: () => '1',
    when: () => 'true',
  },
  {
    table: 'trashed_row',
    owner: 'created_by',
    column: 'stored_bytes',
    value: (row) => `${row}.size_bytes`,
    when: (row) => `${row}.blob_key is not null`,
  },
];

/** The subjects of a row, as in the migration that added `usage`. */
const SUBJECTS = (row: string, owner: string) => [
  `'all'`,
  `case when ${row}.${owner} is not null then 'viewer:' || ${row}.${owner}
    when ${row}.client_hash is not null then 'anonymous:' || ${row}.client_hash end`,
  `'address:' || ${row}.client_hash`,
];

function triggers(db: Db): RawBuilder<unknown>[] {
  const create = dialectOf(db) === 'postgres' ? onPostgres : onSqlite;
  return COUNTED.flatMap((counted) => [
    ...create(counted, 'insert', 'new', ''),
    ...create(counted, 'delete', 'old', '-'),
  ]);
}

/** Each subject has one row, which is changed in place. */
function onSqlite(
  { table, owner, column, value, when }: Counted,
  event: string,
  row: string,
  sign: string,
) {
  const changes = SUBJECTS(row, owner).map(
    (subject) => `insert into usage (subject, ${column}) select ${subject}, ${sign}${value(row)}
      where ${subject} is not null
      on conflict (subject) do update set ${column} = ${column} + excluded.${column};`,
  );
  return [
    sql.raw(`create trigger usage_${table}_${event} after ${event} on ${table}
      when ${when(row)} begin ${changes.join('\n')} end`),
  ];
}

/** Each statement adds a row for each subject: see the migration that added `usage`. */
function onPostgres(
  { table, owner, column, value, when }: Counted,
  event: string,
  row: string,
  sign: string,
) {
  const name = `usage_${table}_${event}`;
  const additions = SUBJECTS('changed', owner).map(
    (subject) => `insert into usage (subject, ${column})
      select ${subject}, ${sign}sum(${value('changed')}) from changed
      where ${when('changed')} and ${subject} is not null group by 1;`,
  );
  return [
    sql.raw(`create function ${name}() returns trigger language plpgsql as $$
      begin ${additions.join('\n')} return null; end $$`),
    sql.raw(`create trigger ${name} after ${event} on ${table}
      referencing ${row} table as changed for each statement execute function ${name}()`),
  ];
}
