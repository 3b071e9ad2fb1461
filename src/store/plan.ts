import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { FIELD_END, type SearchWord } from '../lib/search-text.ts';
import type { Db } from './db.ts';
import { dialectOf } from './dialect.ts';
import { derived } from './slot.ts';

/** What the words of a media item are compared with: the item has all of these. */
export interface WordMatch {
  words: readonly SearchWord[];
  /** True: as they are. False: they may be parts of its words. */
  isWhole: boolean;
  /** Whether all are in its name or title. */
  isInName: boolean;
}

/** Selects the ids of media that match. */
export function idsWithWords(db: Db, match: WordMatch): RawBuilder<unknown> {
  if (dialectOf(db) === 'postgres') {
    return sql`select found.id from media_with_words(${toTsquery(match)}, null) found(id)`;
  }
  return sql`select rowid as id from media_search where media_search match ${toFtsQuery(match)}`;
}

/** One media item in this many is in the sample of words: see migration 0016. */
export const SAMPLED_EVERY = 64;

/** Returns the number of media of the sample that match, or `max` if there are more. */
export function sampledWithWords(db: Db, match: WordMatch, max: number): RawBuilder<number> {
  if (dialectOf(db) === 'postgres') {
    return sql`media_words_sampled(${toTsquery(match)}, ${max})`;
  }
  return sql`(select count(*) from (select rowid from media_search_sample
    where media_search_sample match ${toFtsQuery(match)} limit ${max}) found)`;
}

/**
 * Returns the number of ids that the index of words reads while a walk compares the words of one node. On PostgreSQL,
 * each is a row of another page; in the order of the ids, so is only one of many nodes.
 */
export function idsReadPerNode(db: Db, isById: boolean): number {
  if (dialectOf(db) === 'sqlite') return 5;
  return isById ? 1 : 3;
}

/** Returns the maximum number of ids among which a statement looks up each row. */
export function idsInMemoryMax(db: Db): number {
  return dialectOf(db) === 'sqlite' ? 1_000_000 : 500_000;
}

/**
 * Selects ids that a statement keeps in memory, to look up rows among them; up to twice the maximum, because nodes may
 * have been added since they were counted. PostgreSQL keeps those of a query in a hash table only if it expects few: of
 * an array, it expects ten.
 */
export function idsInMemory(db: Db, ids: RawBuilder<unknown>): RawBuilder<unknown> {
  const found = sql`select id from (${ids}) met limit ${2 * idsInMemoryMax(db)}`;
  return dialectOf(db) === 'postgres' ? sql`select unnest(array(${found})) as id` : found;
}

/**
 * Returns `this media item matches`, without the index. FTS5 cannot look up one row by the beginning of a word: it
 * reads all rows that match first.
 */
export function hasWords(db: Db, match: WordMatch): RawBuilder<SqlBool> {
  if (dialectOf(db) === 'postgres') {
    return sql`(select words @@ ${toTsquery(match)}::tsquery from media_words where media_id = media.id)`;
  }
  const text = match.isInName ? sql`name` : sql.raw(ALL_WORDS);
  const parts = tokensOf(match).map(
    (tokens) => sql`instr(' ' || ${text} || ' ', ${` ${tokens}${match.isWhole ? ' ' : ''}`}) > 0`,
  );
  return sql`(select ${sql.join(parts, sql` and `)} from media_words where media_id = media.id)`;
}

/** The words of all fields of `media_words`. */
const ALL_WORDS = `name || ' ${FIELD_END} ' || texts || ' ${FIELD_END} ' || tags`;

function tokensOf({ words, isWhole }: WordMatch): string[] {
  return words.map(({ part, whole }) => (isWhole ? whole : part));
}

/** Returns the query of the index of words on SQLite. */
function toFtsQuery(match: WordMatch): string {
  const phrases = tokensOf(match).map((tokens) => `"${tokens}"${match.isWhole ? '' : ' *'}`);
  return `${match.isInName ? 'name : ' : ''}(${phrases.join(' AND ')})`;
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

/** Returns a table of numbers by id, `given(id, value)`, in one parameter or two. */
export function valuesById(db: Db, values: ReadonlyMap<number, number>): RawBuilder<unknown> {
  const [ids, numbers] = [[...values.keys()], [...values.values()]];
  return dialectOf(db) === 'postgres'
    ? sql`unnest(${ids}::bigint[], ${numbers}::bigint[]) given(id, value)`
    : sql`(select value ->> 0 as id, value ->> 1 as value from json_each(${JSON.stringify([...values])})) given`;
}

/**
 * Returns a column for which no index is used. SQLite would use that of types to check the type of a few rows that it
 * finds by id, which takes three times as long.
 */
export function unindexed(db: Db, column: string): RawBuilder<unknown> {
  return dialectOf(db) === 'postgres' ? sql.ref(column) : sql`+${sql.ref(column)}`;
}

/** Returns columns as the text of a JSON list. */
export function jsonOf(db: Db, columns: readonly RawBuilder<unknown>[]): RawBuilder<string> {
  return dialectOf(db) === 'postgres'
    ? sql`json_build_array(${sql.join(columns)})::text`
    : sql`json_array(${sql.join(columns)})`;
}

/** The rows of one group, as a JSON list with a list of columns for each row. */
export interface JsonGroup {
  part: number;
  members: string;
}

/**
 * Returns the rows of each of many groups in their order, one JSON text for each group. `members` selects those of one
 * group, which it calls `part.value`. `rowsOfEach` makes a list of ids for each group and then finds the row of each:
 * without that, 400 groups of 5 rows take SQLite 0.7 ms instead of 1.2. It pays only for columns that an index has.
 */
export function jsonOfEach(
  db: Db,
  groups: readonly number[],
  members: RawBuilder<unknown>,
  columns: readonly string[],
): RawBuilder<JsonGroup> {
  const refs = sql.join(columns.map((name) => sql.ref(`member.${name}`)));
  return dialectOf(db) === 'postgres'
    ? sql`select part.value as part, (select coalesce(json_agg(json_build_array(${refs})), '[]')::text
        from ${members} member) as members from unnest(${groups}::bigint[]) part(value)`
    : sql`select part.value as part, (select json_group_array(json_array(${refs})) from ${members} member) as members
        from json_each(${derived(groups, JSON.stringify)}) part`;
}
