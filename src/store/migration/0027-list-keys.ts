import { type RawBuilder, sql } from 'kysely';
import { nameSortKey } from '../../lib/sort-key.ts';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/** Less than every time that a file can name: the key of media that were taken at an unknown time. */
const UNKNOWN_TIME = -8_640_000_000_000_000;

/**
 * Gives media the keys that lists order them by: the size of the original, the title and the time at which it was taken.
 * None of them is null, because a keyset cannot compare null. Triggers keep the size and the time, so that no code that
 * writes a file or reads its details can forget them.
 */
export async function up(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  const add = (name: string, type: RawBuilder<unknown>, unset: number | string) =>
    db.schema
      .alterTable('media')
      .addColumn(name, type, (column) => column.notNull().defaultTo(sql.lit(unset)))
      .execute();
  await add('size_bytes', integer, -1);
  await add('title_sort', text, '');
  await add('taken_sort', integer, UNKNOWN_TIME);
  for await (const rows of batchesOf(db)) await fill(db, rows);
  for (const trigger of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) await trigger.execute(db);
}

/** Number of rows that are in memory at once. */
const BATCH_ROWS = 2000;

interface Row {
  id: number;
  title: string | null;
  taken_at: number | null;
  size_bytes: number | null;
}

async function* batchesOf(db: Db): AsyncGenerator<Row[]> {
  for (let after = 0, isLast = false; !isLast; ) {
    const { rows } = await sql<Row>`select media.id, media.title, media.taken_at, file.size_bytes
      from media left join file on file.media_id = media.id and file.key = ''
      where media.id > ${after} order by media.id limit ${BATCH_ROWS}`.execute(db);
    yield rows;
    after = rows.at(-1)?.id ?? after;
    isLast = rows.length < BATCH_ROWS;
  }
}

/** Writes each row once: PostgreSQL writes it to all indexes each time. */
async function fill(db: Db, rows: readonly Row[]): Promise<void> {
  const keys = rows
    .filter((row) => (row.title ?? row.taken_at ?? row.size_bytes) !== null)
    .map(({ id, title, taken_at, size_bytes }) => ({
      id,
      size: size_bytes ?? -1,
      title: title ? nameSortKey(title) : '',
      taken: taken_at ?? UNKNOWN_TIME,
    }));
  if (keys.length === 0) return;
  const part =
    dialectOf(db) === 'postgres'
      ? sql`unnest(${keys.map(({ id }) => id)}::bigint[], ${keys.map(({ size }) => size)}::bigint[],
          ${keys.map(({ title }) => title)}::text[], ${keys.map(({ taken }) => taken)}::bigint[])
          part(id, size, title, taken)`
      : sql`(select value ->> 'id' as id, value ->> 'size' as size, value ->> 'title' as title,
          value ->> 'taken' as taken from json_each(${JSON.stringify(keys)})) part`;
  await sql`update media set size_bytes = part.size, title_sort = part.title, taken_sort = part.taken
    from ${part} where media.id = part.id`.execute(db);
}

const TAKEN = sql`coalesce(new.taken_at, ${sql.lit(UNKNOWN_TIME)})`;

/** The upload of a new media item writes the size with the row, which is then not written twice. */
const SQLITE: readonly RawBuilder<unknown>[] = [
  sql`create trigger media_size_insert after insert on file when new.key = '' begin
    update media set size_bytes = new.size_bytes
    where id = new.media_id and size_bytes <> new.size_bytes; end`,
  sql`create trigger media_size_update after update of size_bytes on file
    when new.key = '' and new.size_bytes <> old.size_bytes begin
    update media set size_bytes = new.size_bytes where id = new.media_id; end`,
  sql`create trigger media_size_delete after delete on file when old.key = '' begin
    update media set size_bytes = -1 where id = old.media_id; end`,
  sql`create trigger media_taken_insert after insert on media when new.taken_sort <> ${TAKEN} begin
    update media set taken_sort = ${TAKEN} where id = new.id; end`,
  sql`create trigger media_taken_update after update of taken_at on media
    when new.taken_sort <> ${TAKEN} begin
    update media set taken_sort = ${TAKEN} where id = new.id; end`,
];

const POSTGRES: readonly RawBuilder<unknown>[] = [
  sql`create function media_size_set() returns trigger language plpgsql as $$
    begin
      update media set size_bytes = new.size_bytes
        where id = new.media_id and size_bytes <> new.size_bytes;
      return null;
    end $$`,
  sql`create trigger media_size_insert after insert on file
    for each row when (new.key = '') execute function media_size_set()`,
  sql`create trigger media_size_update after update of size_bytes on file
    for each row when (new.key = '' and new.size_bytes <> old.size_bytes)
    execute function media_size_set()`,
  sql`create function media_size_unset() returns trigger language plpgsql as $$
    begin
      update media set size_bytes = -1 where id = old.media_id;
      return null;
    end $$`,
  sql`create trigger media_size_delete after delete on file
    for each row when (old.key = '') execute function media_size_unset()`,
  sql`create function media_taken_set() returns trigger language plpgsql as $$
    begin
      new.taken_sort := ${TAKEN};
      return new;
    end $$`,
  sql`create trigger media_taken_set before insert or update of taken_at on media
    for each row execute function media_taken_set()`,
];
