import { type RawBuilder, sql } from 'kysely';
import { FIELD_END } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { dialectOf } from '../dialect.ts';

/**
 * Indexes the words of one media item in 64 once more, by themselves: a search learns there how frequent its words are
 * before it chooses how to find them. The index of all words has to be read for as many rows as it has of a word.
 */
export async function up(db: Db): Promise<void> {
  for (const statement of dialectOf(db) === 'postgres' ? POSTGRES : SQLITE) {
    await statement.execute(db);
  }
}

const isSampled = (row: string) => sql.raw(`${row}media_id % 64 = 0`);

/** The words that are not of the name, as in `media_search`. */
const restOf = (row: string) =>
  sql.raw(`'${FIELD_END} ' || ${row}texts || ' ${FIELD_END} ' || ${row}tags`);

const INSERT_ON_SQLITE = sql`insert into media_search_sample (rowid, name, rest)
  values (new.media_id, new.name, ${restOf('new.')})`;
const DELETE_ON_SQLITE = sql`delete from media_search_sample where rowid = old.media_id`;

const SQLITE: readonly RawBuilder<unknown>[] = [
  sql`create virtual table media_search_sample using fts5 (
    name, rest, content = '', contentless_delete = 1, tokenize = 'ascii')`,
  sql`insert into media_search_sample (rowid, name, rest)
    select media_id, name, ${restOf('')} from media_words where ${isSampled('')}`,
  sql`create trigger media_words_sample_insert after insert on media_words when ${isSampled('new.')} begin
    ${INSERT_ON_SQLITE}; end`,
  sql`create trigger media_words_sample_update after update on media_words when ${isSampled('new.')} begin
    ${DELETE_ON_SQLITE}; ${INSERT_ON_SQLITE}; end`,
  sql`create trigger media_words_sample_delete after delete on media_words when ${isSampled('old.')} begin
    ${DELETE_ON_SQLITE}; end`,
];

const POSTGRES: readonly RawBuilder<unknown>[] = [
  // A table of its own, not an index of a part of `media_words`: its few rows are in few pages.
  sql`create table media_words_sample (
    media_id bigint primary key references media_words (media_id) on delete cascade, words tsvector not null)`,
  sql`insert into media_words_sample (media_id, words)
    select media_id, words from media_words where ${isSampled('')}`,
  sql`create index media_words_sample_index on media_words_sample using gin (words)`,
  sql`create function media_words_sample() returns trigger language plpgsql as $$
    begin
      insert into media_words_sample (media_id, words) values (new.media_id, new.words)
        on conflict (media_id) do update set words = excluded.words;
      return null;
    end $$`,
  sql`create trigger media_words_sample after insert or update on media_words
    for each row when (${isSampled('new.')}) execute function media_words_sample()`,
  // A function has settings of its own: connections turn bitmaps off, but an index of words has no other plan.
  sql`create function media_words_sampled(query text, max bigint) returns bigint
    language plpgsql stable set enable_bitmapscan = on set enable_seqscan = off as $$
    begin return (select count(*) from
      (select media_id from media_words_sample where words @@ query::tsquery limit max) found); end $$`,
];
