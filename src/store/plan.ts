import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { FIELD_END, type SearchWord } from '../lib/search-text.ts';
import type { Db } from './db.ts';
import { dialectOf } from './dialect.ts';

/** What the words of a media item are compared with: the item has all of these. */
export interface WordMatch {
  words: readonly SearchWord[];
  /** True: as they are. False: they may be parts of its words. */
  isWhole: boolean;
  /** Whether all are in its name or title. */
  isInName: boolean;
}

/** Selects the ids of media that match. `max` limits their number, on PostgreSQL. */
export function idsWithWords(
  db: Db,
  match: WordMatch,
  max: number | null = null,
): RawBuilder<unknown> {
  if (dialectOf(db) === 'postgres') {
    return sql`select found.id from media_with_words(${toTsquery(match)}, ${max}) found(id)`;
  }
  const phrases = tokensOf(match).map((tokens) => `"${tokens}"${match.isWhole ? '' : ' *'}`);
  const query = `${match.isInName ? 'name : ' : ''}(${phrases.join(' AND ')})`;
  return sql`select rowid as id from media_search where media_search match ${query}`;
}

/**
 * Returns `this media item matches`, without the index. FTS5 cannot look up one row by the beginning of a word: it
 * reads all rows that match first.
 */
export function hasWords(db: Db, match: WordMatch): RawBuilder<SqlBool> {
  if (dialectOf(db) === 'postgres') {
    return sql`(select words @@ ${toTsquery(match)}::tsquery from media_words where media_id = media.id)`;
  }
  const parts = tokensOf(match).map((tokens) => ` ${tokens}${match.isWhole ? ' ' : ''}`);
  const text = match.isInName ? sql`name` : sql.raw(ALL_WORDS);
  return sql`(select has_parts(' ' || ${text} || ' ', ${JSON.stringify(parts)}) from media_words
    where media_id = media.id)`;
}

/** The words of all fields of `media_words`. */
const ALL_WORDS = `name || ' ${FIELD_END} ' || texts || ' ${FIELD_END} ' || tags`;

function tokensOf({ words, isWhole }: WordMatch): string[] {
  return words.map(({ part, whole }) => (isWhole ? whole : part));
}

/** Returns the query in the notation of the type, which no parser of words reads. Tokens are letters and digits. */
function toTsquery(match: WordMatch): string {
  const weight = match.isInName ? 'A' : '';
  const phrases = tokensOf(match).map((tokens) =>
    tokens
      .split(' ')
      .map((token, index, { length }) => {
        const prefix = match.isWhole || index < length - 1 ? '' : '*';
        return `'${token}'${prefix || weight ? ':' : ''}${prefix}${weight}`;
      })
      .join(' <-> '),
  );
  return phrases.map((phrase) => `(${phrase})`).join(' & ');
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
