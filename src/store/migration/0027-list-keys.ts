import { type RawBuilder, sql } from 'kysely';
import { nameSortKey } from '../../lib/sort-key.ts';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';
import type { OnlineStep } from '../migration.ts';
import { inTransaction } from '../transaction.ts';

/** Less than every time that a file can name: the key of media that were taken at an unknown time. */
const UNKNOWN_TIME = -8_640_000_000_000_000;

/**
 * Gives media the keys that lists order them by: the size of the original, the title and the time at which it was taken.
 * None of them is null, because a keyset cannot compare null. Triggers keep the size and the time, so that no code that
 * writes a file or reads its details can forget them.
 */
export async function up(db: Db): Promise<void> {
  await addColumns(db);
  for await (const rows of batchesOf(db)) await fill(db, rows);
  for (const trigger of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) await trigger.execute(db);
}

async function addColumns(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  const ifNew = sql.raw(dialectOf(db) === 'postgres' ? 'if not exists' : '');
  const add = (name: string, type: RawBuilder<unknown>, unset: number | string) =>
    sql`alter table media add column ${ifNew} ${sql.ref(name)} ${type}
      not null default ${sql.lit(unset)}`.execute(db);
  await add('size_bytes', integer, -1);
  await add('title_sort', text, '');
  await add('taken_sort', integer, UNKNOWN_TIME);
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
    const rows = await readBatch(db, after);
    yield rows;
    after = rows.at(-1)?.id ?? after;
    isLast = rows.length < BATCH_ROWS;
  }
}

async function readBatch(db: Db, after: number, lock = sql``): Promise<Row[]> {
  const { rows } = await sql<Row>`select media.id, media.title, media.taken_at, file.size_bytes
    from media left join file on file.media_id = media.id and file.key = ''
    where media.id > ${after} order by media.id limit ${BATCH_ROWS} ${lock}`.execute(db);
  return rows;
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

/** Triggers that exist already: an earlier run has been interrupted. */
const OLD_TRIGGERS = sql`drop trigger if exists media_size_insert on file;
  drop trigger if exists media_size_update on file;
  drop trigger if exists media_size_delete on file;
  drop trigger if exists media_taken_set on media;
  drop function if exists media_size_set, media_size_unset, media_taken_set`;

/** The same, while others use the tables. First the triggers: they see to what is written while the rows are filled. */
export const online: readonly OnlineStep[] = [
  {
    async run(db) {
      await addColumns(db);
      await OLD_TRIGGERS.execute(db);
      for (const trigger of POSTGRES) await trigger.execute(db);
    },
  },
  { isAlone: true, run: fillOnline },
];

/** Fills a batch in each transaction. The lock: nobody changes a title between the read and the write. */
async function fillOnline(db: Db): Promise<void> {
  for (let after = 0, isLast = false; !isLast; ) {
    const rows = await inTransaction(db, async (db) => {
      const rows = await readBatch(db, after, sql`for no key update of media`);
      await fill(db, rows);
      return rows;
    });
    after = rows.at(-1)?.id ?? after;
    isLast = rows.length < BATCH_ROWS;
  }
}
