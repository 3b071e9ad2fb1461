import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { FieldType, FieldValue } from '../lib/search.ts';
import type { Db } from './db.ts';
import { dialectOf, selectedFrom, tableBy } from './dialect.ts';

/*
 * Makes each database read one given index and no other. SQLite has `indexed by`. PostgreSQL has no hints: a subquery with `order by` and `limit`, or `offset 0`, is planned separately, and only the plan with the index needs no sort.
 */

/** Rows whose column meets a condition. */
export interface IndexRange {
  table: 'file' | 'job';
  column: FieldType & IndexedValue & { stem?: { value: RawBuilder<unknown> } };
  test: RawBuilder<SqlBool>;
  /** Values that the condition, or a part of it, compares with the column: one of them must be equal. */
  values: readonly FieldValue[] | null;
}

/** A value that an index begins with. Null: the table itself, for its id. */
export interface IndexedValue {
  value: RawBuilder<unknown>;
  index: string | null;
}

/** A way to the rows that meet a condition. */
export interface Way {
  /** Selects the rows that meet the condition, up to a maximum. */
  probe: RawBuilder<unknown>;
  /** What to select them from. */
  source: RawBuilder<unknown>;
  /** The condition on what the index holds, if rows still have to be tested. */
  test: RawBuilder<SqlBool> | null;
}

/** Maximum numbers of rows. */
export interface WayMax {
  probe: number;
  source: number;
}

/** Returns the way along an index to the rows in a range. */
export function rangeWay(db: Db, range: IndexRange, max: WayMax): Way {
  const table = sql.table(range.table);
  const { test } = range;
  if (dialectOf(db) === 'postgres') {
    return {
      probe: rangeOnPostgres(range, sql`1`, max.probe),
      source: sql`(${rangeOnPostgres(range, sql`${table}.*`, max.source)}) as ${table}`,
      test,
    };
  }
  const source = tableBy(db, range.table, range.column.index ?? undefined);
  return { probe: sql`select 1 from ${source} where ${test} limit ${max.probe}`, source, test };
}

function rangeOnPostgres(
  { table, column, test, values }: IndexRange,
  selected: RawBuilder<unknown>,
  limit: number,
): RawBuilder<unknown> {
  const name = sql.table(table);
  const key = column.stem?.value ?? column.value;
  const inOrder = sql`order by ${key}, ${sql.ref(`${table}.uuid`)} limit ${limit}`;
  if (values === null) return sql`select ${selected} from ${name} where ${test} ${inOrder}`;
  // One range for each value: across several values, the index has no order.
  const list = sql`unnest(${[...new Set(values)]}::${ARRAYS[column.kind]})`;
  const rows = sql`select * from ${name} where ${column.value} = part.value and ${test} ${inOrder}`;
  return sql`select ${selected} from ${list} part(value) cross join lateral (${rows}) as ${name} limit ${limit}`;
}

const ARRAYS: Readonly<Record<FieldType['kind'], RawBuilder<unknown>>> = {
  uuid: sql`text[]`,
  text: sql`text[]`,
  integer: sql`bigint[]`,
  real: sql`double precision[]`,
  time: sql`bigint[]`,
  flag: sql`bigint[]`,
};

/** Returns what to select the rows from whose column has one of the values that a query selects as `key`. */
export function rowsByKey(
  db: Db,
  table: 'file' | 'job' | 'media',
  column: IndexedValue,
  keys: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`(${keys}) found ${rowOf(db, table, column, sql.ref('found.key'))}`;
}

/**
 * Returns a join with the rows whose column equals a value of the tables before. For each of these, it reads the index.
 */
export function rowOf(
  db: Db,
  table: 'file' | 'job' | 'media',
  { value, index }: IndexedValue,
  key: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const name = sql.table(table);
  return dialectOf(db) === 'postgres'
    ? sql`cross join lateral (select * from ${name} where ${value} = ${key} offset 0) as ${name}`
    : sql`cross join ${tableBy(db, table, index ?? undefined)} on ${value} = ${key}`;
}

/** A part of the rows of a table, in the order of an index. */
export interface IndexWalk {
  table: 'file' | 'job';
  /** The index of the first column of the order; null: the table itself. */
  index: string | null;
  order: RawBuilder<unknown>;
  /** Columns that the index begins with and that have the same value in all of these rows, in the direction of the order. */
  leading: readonly RawBuilder<unknown>[];
  /** Conditions on columns of the order: they limit the part of the index that is read. */
  ranges: readonly RawBuilder<SqlBool>[];
  /** Conditions that are tested row by row. */
  tests: readonly RawBuilder<SqlBool>[];
  limit: number | RawBuilder<number>;
  offset: number;
}

/** Returns the statement that selects uuids in the order of an index. */
export function walkIndex(db: Db, walk: IndexWalk): RawBuilder<{ uuid: string }> {
  const { index, order, leading, ranges, tests, limit, offset } = walk;
  const table = sql.table(walk.table);
  const uuid = sql.ref(`${walk.table}.uuid`);
  const page = sql`limit ${limit} offset ${offset}`;
  if (dialectOf(db) === 'sqlite') {
    // With `+`, the planner does not look for the column in an index.
    const all = [...ranges, ...tests.map((test) => sql<SqlBool>`+(${test})`)];
    return sql`select ${uuid} from ${tableBy(db, walk.table, index ?? undefined)} ${where(all)} order by ${order} ${page}`;
  }
  // PostgreSQL knows that an index is in order after a column that equals a value, but not after one that is null.
  // SQLite knows it in both cases, but not if the order begins with an expression.
  const rows = sql`${table} ${where(ranges)} order by ${sql.join([...leading, order])}`;
  if (tests.length === 0) return sql`select ${uuid} from ${rows} ${page}`;
  return sql`select ${uuid} from (select * from ${rows} offset 0) as ${table} ${where(tests)} ${page}`;
}

/** Rows of a table, which a list leaves out. */
export interface HiddenRows {
  /** All columns that orders of the list read, and the uuid. */
  columns: readonly string[];
  /** Selects these columns of the rows. */
  rows: RawBuilder<unknown>;
}

/**
 * Returns the statement that selects the same page without some rows. A row is compared
 * with those from the page on only: those before it are counted by their places in the order. With one private file in
 * 500, testing each of 500,000 files takes five times as long.
 */
export function walkWithout(
  db: Db,
  walk: IndexWalk,
  hidden: HiddenRows,
): RawBuilder<{ uuid: string }> {
  const { order, limit } = walk;
  const table = sql.table(walk.table);
  // However many of the hidden rows are before the page or in it, this part has the page.
  const part = walkIndex(db, { ...walk, limit: sql`${limit} + (select count(*) from hidden)` });
  const first = sql`(select uuid from listed limit 1)`;
  const rows = sql`select * from hidden union all
    select ${selectedFrom(walk.table, hidden.columns)} from ${table} where uuid = ${first}`;
  const places = sql`select uuid, row_number() over (order by ${order}) as place from (${rows}) as ${table}`;
  return sql`select uuid from (with hidden as materialized (${hidden.rows}), listed as materialized (${part})
    select uuid from listed where uuid not in (select uuid from hidden) limit ${limit}
    offset coalesce((select min(place) - 1 from (${places}) placed where uuid = ${first}), 0)) page`;
}

/** Returns a `where` of all conditions; nothing for none. */
export function where(tests: readonly RawBuilder<SqlBool>[]): RawBuilder<unknown> {
  return tests.length === 0 ? sql`` : sql`where ${sql.join(tests, sql` and `)}`;
}
