import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { dialectOf } from '../dialect.ts';
import { createIndexes } from './create-indexes.ts';

/**
 * Creates the search index of media, with the names of their tags. Triggers maintain it, so that no code
 * that writes a name, a title or a tag can forget it. Also creates an index for each order and filter of
 * a list.
 */
export async function up(db: Db): Promise<void> {
  for (const statement of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) {
    await statement.execute(db);
  }
  await createIndexes(db, INDEXES);
}

const INDEXES = [
  ['media_name', 'media', ['name', 'id']],
  ['media_updated', 'media', ['updated_at', 'id']],
  ['media_created', 'media', ['created_at', 'id']],
  ['media_type', 'media', ['type', 'id']],
  ['media_owner', 'media', ['owner', 'id']],
  ['media_parent_id', 'media', ['parent_id', 'id']],
  ['file_md5', 'file', ['md5', 'media_id']],
  ['file_mime_type', 'file', ['mime_type', 'media_id']],
] as const;

const TAG_NAMES = (mediaId: RawBuilder<unknown>, join: RawBuilder<unknown>) =>
  sql`(select ${join} from media_tag join tag on tag.id = media_tag.tag_id where media_tag.media_id = ${mediaId})`;

const SQLITE_COLUMNS = sql`rowid, name, title, description, keywords, tags`;
const SQLITE_ROWS = sql`
  select id, name, title, description, keywords,
    ${TAG_NAMES(sql`media.id`, sql`group_concat(tag.name, ' ')`)}
  from media where type != 'folder'`;
const sqliteIndex = (ids: RawBuilder<unknown>) => sql`
  delete from media_search where rowid in (${ids});
  insert into media_search (${SQLITE_COLUMNS}) ${SQLITE_ROWS} and id in (${ids});`;

const SQLITE = [
  sql`create virtual table media_search using fts5 (
    name, title, description, keywords, tags,
    content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
  )`,
  sql`insert into media_search (${SQLITE_COLUMNS}) ${SQLITE_ROWS}`,
  sql`create trigger media_search_insert after insert on media begin
    ${sqliteIndex(sql`new.id`)} end`,
  sql`create trigger media_search_update after update of name, title, description, keywords on media begin
    ${sqliteIndex(sql`new.id`)} end`,
  sql`create trigger media_search_delete after delete on media begin
    delete from media_search where rowid = old.id; end`,
  sql`create trigger media_search_tagged after insert on media_tag begin
    ${sqliteIndex(sql`new.media_id`)} end`,
  sql`create trigger media_search_untagged after delete on media_tag begin
    ${sqliteIndex(sql`old.media_id`)} end`,
  sql`create trigger media_search_tag after update of name on tag begin
    ${sqliteIndex(sql`select media_id from media_tag where tag_id = new.id`)} end`,
];

const POSTGRES = [
  sql`create table media_search (
    media_id bigint primary key references media on delete cascade,
    words tsvector not null
  )`,
  // Does what the tokenizer of FTS5 does: removes accents and splits at punctuation. PostgreSQL's own parser
  // would read "photo-1.jpg" as one word, a host name.
  sql`create function media_search_words(text) returns tsvector immutable language sql as $$
    select to_tsvector('simple', regexp_replace(
      regexp_replace(normalize(lower($1), NFD), '[\\u0300-\\u036f]', '', 'g'),
      '[!-/:-@[-${sql.raw('`')}{-~]+', ' ', 'g'))
  $$`,
  sql`create function media_search_index(bigint[]) returns void language sql as $$
    insert into media_search
    select id, media_search_words(concat_ws(' ', name, title, description, keywords,
      ${TAG_NAMES(sql`media.id`, sql`string_agg(tag.name, ' ')`)}))
    from media where type != 'folder' and id = any($1)
    on conflict (media_id) do update set words = excluded.words
  $$`,
  sql`select media_search_index(array(select id from media))`,
  sql`create index media_search_words_index on media_search using gin (words)`,
  ...[
    [
      'media_search_media',
      'after insert or update of name, title, description, keywords on media',
      'array[new.id]',
    ],
    ['media_search_tagged', 'after insert on media_tag', 'array[new.media_id]'],
    ['media_search_untagged', 'after delete on media_tag', 'array[old.media_id]'],
    [
      'media_search_tag',
      'after update of name on tag',
      'array(select media_id from media_tag where tag_id = new.id)',
    ],
  ].flatMap(([name = '', when = '', ids = '']) => [
    sql`create function ${sql.raw(name)}() returns trigger language plpgsql as $$
      begin perform media_search_index(${sql.raw(ids)}); return null; end
    $$`,
    sql`create trigger ${sql.raw(name)} ${sql.raw(when)} for each row execute function ${sql.raw(name)}()`,
  ]),
];
