import { type RawBuilder, sql } from 'kysely';
import { FIELD_END, foldText, toIndexedWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';

/**
 * Replaces the search index of media, whose words each database made with rules of its own. `toIndexedWords` now makes
 * them; the table `media_words` and new columns of `tag` hold them, and both databases index what these hold. Writes
 * the words of all rows, some at a time.
 */
export async function up(db: Db): Promise<void> {
  const isPostgres = dialectOf(db) === 'postgres';
  await run(db, isPostgres ? DROPS_OF_POSTGRES : DROPS_OF_SQLITE);
  await createColumns(db);
  if (isPostgres) await run(db, VECTOR_OF_POSTGRES);
  await writeTagWords(db);
  await writeMediaWords(db);
  await run(db, isPostgres ? INDEX_OF_POSTGRES : INDEX_OF_SQLITE);
}

async function run(db: Db, statements: readonly RawBuilder<unknown>[]): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}

async function createColumns(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  for (const name of ['words', 'name_folded', 'description_folded']) {
    await db.schema
      .alterTable('tag')
      .addColumn(name, text, (c) => c.notNull().defaultTo(''))
      .execute();
  }
  await db.schema
    .createTable('media_words')
    .addColumn('media_id', integer, (c) =>
      c.primaryKey().references('media.id').onDelete('cascade'),
    )
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('texts', text, (c) => c.notNull())
    .addColumn('tags', text, (c) => c.notNull().defaultTo(''))
    .execute();
}

/** Number of rows that are read and written at a time. */
const ROWS = 1000;

interface TextRow {
  id: number;
  name: string;
  title: string | null;
  description: string | null;
  keywords: string | null;
}

async function writeTagWords(db: Db): Promise<void> {
  const read = (after: number) =>
    sql<TextRow>`select id, name, description from tag where id > ${after} order by id limit ${ROWS}`;
  for await (const tags of batches(db, read)) {
    const rows = tags.map(({ id, name, description }) => [
      id,
      toIndexedWords(name),
      foldText(name),
      foldText(description ?? ''),
    ]);
    await sql`update tag set words = ${text(1)}, name_folded = ${text(2)}, description_folded = ${text(3)}
      from ${given(db, rows)} where tag.id = ${ID}`.execute(db);
  }
}

async function writeMediaWords(db: Db): Promise<void> {
  const read = (after: number) => sql<TextRow>`select id, name, title, description, keywords
    from media where type <> 'folder' and id > ${after} order by id limit ${ROWS}`;
  for await (const medias of batches(db, read)) {
    const rows = medias.map(({ id, name, title, description, keywords }) => [
      id,
      toIndexedWords(name, title),
      toIndexedWords(description, keywords),
    ]);
    await sql`insert into media_words (media_id, name, texts, tags)
      select ${ID}, ${text(1)}, ${text(2)}, ${tagsOf(dialectOf(db) === 'postgres', ID)} from ${given(db, rows)}`.execute(
      db,
    );
  }
}

async function* batches(db: Db, read: (after: number) => RawBuilder<TextRow>) {
  for (let after = 0; ; ) {
    const { rows } = await read(after).execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.id;
  }
}

/** Returns rows as a table, whose columns `text` and `ID` read. */
function given(db: Db, rows: readonly unknown[]): RawBuilder<unknown> {
  const json = JSON.stringify(rows);
  return dialectOf(db) === 'postgres'
    ? sql`json_array_elements(${json}::json) given`
    : sql`json_each(${json}) given`;
}

const text = (at: number) => sql`(given.value ->> ${sql.lit(at)})`;
const ID = sql`cast(given.value ->> 0 as bigint)`;

/** Returns the words of the tags of a media item. */
function tagsOf(isPostgres: boolean, mediaId: RawBuilder<unknown>): RawBuilder<unknown> {
  const join = sql.raw(isPostgres ? 'string_agg' : 'group_concat');
  return sql`coalesce((select ${join}(tag.words, ${sql.lit(` ${FIELD_END} `)}) from media_tag
    join tag on tag.id = media_tag.tag_id where media_tag.media_id = ${mediaId}), '')`;
}

const setTags = (isPostgres: boolean, mediaId: RawBuilder<unknown>) => sql`update media_words
  set tags = ${tagsOf(isPostgres, mediaId)} where media_id = ${mediaId}`;

/** Returns the words that are not of the name, after those that are. */
const restOf = (row: string) =>
  sql.raw(`'${FIELD_END} ' || ${row}texts || ' ${FIELD_END} ' || ${row}tags`);

const DROPS_OF_SQLITE = [
  ...['insert', 'update', 'delete', 'tagged', 'untagged'].map(
    (name) => sql`drop trigger ${sql.ref(`media_search_${name}`)}`,
  ),
  sql`drop table media_search`,
];

const INDEX_OF_SQLITE = [
  // This tokenizer splits at spaces and leaves all other characters of words as they are.
  sql`create virtual table media_search using fts5 (
    name, rest, content = '', contentless_delete = 1, tokenize = 'ascii')`,
  sql`insert into media_search (rowid, name, rest)
    select media_id, name, ${restOf('')} from media_words`,
  sql`create trigger media_words_insert after insert on media_words begin
    insert into media_search (rowid, name, rest) values (new.media_id, new.name, ${restOf('new.')}); end`,
  sql`create trigger media_words_update after update on media_words begin
    delete from media_search where rowid = old.media_id;
    insert into media_search (rowid, name, rest) values (new.media_id, new.name, ${restOf('new.')}); end`,
  sql`create trigger media_words_delete after delete on media_words begin
    delete from media_search where rowid = old.media_id; end`,
  sql`create trigger media_words_tagged after insert on media_tag begin
    ${setTags(false, sql`new.media_id`)}; end`,
  sql`create trigger media_words_untagged after delete on media_tag begin
    ${setTags(false, sql`old.media_id`)}; end`,
];

const DROPS_OF_POSTGRES = [
  sql`drop trigger media_search_media on media`,
  sql`drop trigger media_search_tagged on media_tag`,
  sql`drop trigger media_search_untagged on media_tag`,
  ...['media()', 'tagged()', 'untagged()', 'index(bigint[])', 'words(text)'].map(
    (signature) => sql`drop function media_search_${sql.raw(signature)}`,
  ),
  sql`drop function media_with_words(text, bigint)`,
  sql`drop table media_search`,
];

/**
 * Made as text, because PostgreSQL's own parser would split words again. Tokens are letters and digits, and have no
 * quotes. A place may be at most 16,383, and a vector has at most a megabyte.
 */
const VECTOR_OF_POSTGRES = [
  sql`create function media_words_vector(name text, rest text) returns tsvector
    immutable language sql as $$
    select coalesce(string_agg(
      '''' || token || ''':' || least(place, 16383) || weight, ' '), '')::tsvector
    from (
      select token, place, 'A' as weight
        from unnest(string_to_array(name, ' ')) with ordinality one(token, place)
      union all
      select token, place + cardinality(string_to_array(name, ' ')), ''
        from unnest(string_to_array(left(rest, 100000), ' ')) with ordinality one(token, place)
    ) tokens where token not in ('', ${sql.lit(FIELD_END)})
  $$`,
  sql`alter table media_words add column words tsvector
    generated always as (media_words_vector(name, ${restOf('')})) stored`,
];

const INDEX_OF_POSTGRES = [
  sql`create index media_words_index on media_words using gin (words)`,
  // A function has settings of its own: connections turn bitmaps off, but an index of words has no other plan.
  sql`create function media_with_words(query text, max bigint) returns setof bigint
    language plpgsql stable set enable_bitmapscan = on set enable_seqscan = off as $$
    begin return query select media_id from media_words where words @@ query::tsquery limit max; end $$`,
  ...[
    ['tagged', 'insert', 'new'],
    ['untagged', 'delete', 'old'],
  ].flatMap(([name = '', event = '', row = '']) => [
    sql`create function ${sql.raw(`media_words_${name}`)}() returns trigger language plpgsql as $$
      begin ${setTags(true, sql.raw(`${row}.media_id`))}; return null; end $$`,
    sql`create trigger ${sql.raw(`media_words_${name}`)} after ${sql.raw(event)} on media_tag
      for each row execute function ${sql.raw(`media_words_${name}`)}()`,
  ]),
];
