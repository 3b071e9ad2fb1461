import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from './db.ts';
import { dialectOf } from './dialect.ts';

/**
 * Selects the ids of media that have words that begin with all of these, in their names, texts and tags. Words are
 * letters and digits only, in lower case and without accents. `max` limits their number, on PostgreSQL.
 */
export function idsWithWords(
  db: Db,
  words: readonly [string, ...string[]],
  max: number | null = null,
): RawBuilder<unknown> {
  if (dialectOf(db) === 'postgres') {
    const query = words.map((word) => `${word}:*`).join(' & ');
    return sql`select found.id from media_with_words(${query}, ${max}) found(id)`;
  }
  const query = words.map((word) => `"${word}"*`).join(' ');
  return sql`select rowid as id from media_search where media_search match ${query}`;
}

/**
 * Returns `this media item has words that begin with all of these`, without the index. FTS5 cannot look up one row by
 * the beginning of a word: it reads all rows that match first.
 */
export function hasWords(db: Db, words: readonly [string, ...string[]]): RawBuilder<SqlBool> {
  if (dialectOf(db) === 'postgres') {
    const query = words.map((word) => `${word}:*`).join(' & ');
    return sql`(select words @@ to_tsquery('simple', ${query}) from media_search where media_id = media.id)`;
  }
  return sql`has_words(concat_ws(' ', media.name, media.title, media.description, media.keywords,
    (select group_concat(tag.name, ' ') from media_tag cross join tag on tag.id = media_tag.tag_id
      where media_tag.media_id = media.id)), ${JSON.stringify(words)})`;
}

/**
 * Returns the check of words where many groups are listed, each with media of its own. SQLite reads the index of words
 * once for all of them.
 */
export function hasWordsOfMany(
  db: Db,
  check: RawBuilder<SqlBool>,
  ids: RawBuilder<unknown>,
): RawBuilder<SqlBool> {
  return dialectOf(db) === 'postgres' ? check : sql`media.id in (${ids})`;
}

/** Returns a subquery that PostgreSQL does not merge into the statement; SQLite's joins have an order already. */
export function asOwnQuery(db: Db, query: RawBuilder<unknown>): RawBuilder<unknown> {
  return dialectOf(db) === 'postgres'
    ? sql`(select * from (${query}) own_query offset 0)`
    : sql`(${query})`;
}

/**
 * Returns `all of these hold`, which no index can serve: it is checked for each row that the rest of the statement
 * finds. PostgreSQL assumes that it holds for half of the rows, whatever its statistics say. On SQLite, `tableBy` does
 * the same.
 */
export function checkedOnly(
  db: Db,
  conditions: readonly RawBuilder<SqlBool>[],
): RawBuilder<SqlBool> {
  const all = sql.join(conditions, sql` and `);
  return dialectOf(db) === 'postgres' ? sql`coalesce(${all}, false)` : sql`(${all})`;
}

/** Returns a query of the given values, as `value`. */
export function valuesOf(
  db: Db,
  values: readonly number[] | readonly string[],
): RawBuilder<unknown> {
  if (dialectOf(db) === 'sqlite') {
    return sql`select value from json_each(${JSON.stringify(values)})`;
  }
  const type = sql.raw(typeof values[0] === 'string' ? 'text' : 'bigint');
  return sql`select value from unnest(${values}::${type}[]) given(value)`;
}
