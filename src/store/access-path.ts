import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Condition, OrderStep } from '../lib/search.ts';
import type { Db } from './db.ts';
import {
  type HiddenRows,
  type IndexedValue,
  type IndexWalk,
  rangeWay,
  rowsByKey,
  type Way,
  walkIndex,
  walkWithout,
  where,
} from './index-scan.ts';
import { type Column, type Columns, isRange, toRangeSql, toSql, valuesOf } from './search.ts';

/** A table that is listed by conditions on its columns, given by the names of the fields. */
export interface ListedTable<Field extends string> {
  name: 'file' | 'job';
  columns: Columns<Field>;
}

/** A condition on a row of another table, to which a row of the listed table refers. */
export interface Narrowing {
  /** The condition as a test of a row of the listed table. */
  test: RawBuilder<SqlBool>;
  /** The column of the listed table that refers to `id` of the other table. */
  reference: IndexedValue;
  /**
   * Selects `id` of the rows of the other table that meet the condition, up to a maximum, as `key`; a row may appear
   * several times. Absent if almost all rows meet the condition.
   */
  ids?: (limit: number) => RawBuilder<unknown>;
  /** The rows of the listed table that do not meet the condition, if they are few in most databases. */
  opposite?: HiddenRows;
}

/** The rows of a list: those that meet all conditions. */
export interface Selection<Field extends string> {
  conditions: readonly Condition<Field>[];
  narrowing?: Narrowing | null;
}

/** A part of a list, with the order of the list. Ties are broken by uuid, in the direction of the last step. */
export interface Slice<Field extends string> {
  order: readonly OrderStep<Field>[];
  /** The ends of the part, on the columns of the order. */
  bounds?: readonly RawBuilder<SqlBool>[];
  limit: number;
  offset: number;
}

/**
 * The maximum number of rows that are sorted for one page. Up to this many rows are read by the index of their
 * condition and sorted, in 5 ms. If more rows meet the condition, the index of the order soon finds a page of them.
 */
export const SORTED_MAX = 5000;

/** From this offset on, a page passes more rows than it costs to collect the hidden ones. */
export const DEEP_OFFSET = 1000;

/**
 * Returns the statement that selects the uuids of a part of a list, in order. Indexes contain the uuids, so that a page
 * far from the start reads an index only. If the index of the order begins with the only condition, the page is read
 * there.
 *
 * Planners decide by estimates, which are wrong without statistics; with them, SQLite took 4 s for a filter that no row
 * meets. Otherwise, the rows of each condition are counted in its index, up to `SORTED_MAX`. If the rarest condition has
 * fewer, they are read by its index and sorted. Otherwise the index of the order is read, and each row is tested.
 * Conditions that no index serves, such as those on parts of texts, are only tested.
 */
export async function selectUuids<Field extends string>(
  db: Db,
  table: ListedTable<Field>,
  selection: Selection<Field>,
  slice: Slice<Field>,
): Promise<RawBuilder<{ uuid: string }>> {
  const walk = walkOf(db, table, selection, slice);
  // Nothing is passed over: however few rows there are, none is sorted.
  if (walk.tests.length === 0) return walkIndex(db, walk);
  const { opposite } = selection.narrowing ?? {};
  const isOfAll = selection.conditions.length === 0 && !slice.bounds?.length;
  if (opposite && isOfAll && slice.offset >= DEEP_OFFSET)
    return walkWithout(db, { ...walk, tests: [] }, opposite);
  const rarest = await findRarest(db, table, selection);
  if (rarest === null) return walkIndex(db, walk);
  const { order, bounds = [], limit, offset } = slice;
  const tests = where([...testsOf(db, table, selection, rarest), ...bounds]);
  return sql`select ${sql.ref(`${table.name}.uuid`)} from ${rarest.source} ${tests}
    order by ${orderOf(table, order)} limit ${limit} offset ${offset}`;
}

/** Returns the number of rows of a list. */
export async function countSelection<Field extends string>(
  db: Db,
  table: ListedTable<Field>,
  selection: Selection<Field>,
): Promise<number> {
  const rarest = await findRarest(db, table, selection);
  const source = rarest?.source ?? sql.table(table.name);
  const tests = where(testsOf(db, table, selection, rarest));
  const counted = sql<{ count: number }>`select count(*) as count from ${source} ${tests}`;
  const { rows } = await counted.execute(db);
  return Number(rows[0]?.count);
}

/** Returns the SQL of an order, with the uuid as its last step. */
export function orderOf<Field extends string>(
  { name, columns }: ListedTable<Field>,
  order: readonly OrderStep<Field>[],
): RawBuilder<unknown> {
  const steps = order.map(({ field, descending }) => {
    const { value, isNullable, stem } = columns[field];
    const nulls = isNullable ? (descending ? ' nulls first' : ' nulls last') : '';
    return sql`${stem?.value ?? value}${sql.raw(directionOf(descending) + nulls)}`;
  });
  // Distinct values have no ties, but PostgreSQL would sort them by uuid nevertheless.
  if (order.some(({ field }) => columns[field].isUnique)) return sql.join(steps);
  const direction = directionOf(order.at(-1)?.descending ?? false);
  return sql.join([...steps, sql`${sql.ref(`${name}.uuid`)}${sql.raw(direction)}`]);
}

function directionOf(descending: boolean): string {
  return descending ? ' desc' : ' asc';
}

/** Returns the access path with the fewest rows; null if each has more than `SORTED_MAX`. */
async function findRarest<Field extends string>(
  db: Db,
  table: ListedTable<Field>,
  selection: Selection<Field>,
): Promise<Way | null> {
  const ways = waysOf(db, table, selection);
  if (ways.length === 0) return null;
  const counts = ways.map(
    ({ probe }, index) => sql`(select count(*) from (${probe}) probe) as ${sql.ref(`n${index}`)}`,
  );
  const { rows } = await sql<Record<string, number>>`select ${sql.join(counts)}`.execute(db);
  const sizes = ways.map((way, index) => ({ way, size: Number(rows[0]?.[`n${index}`]) }));
  const rarest = sizes.reduce((least, one) => (one.size < least.size ? one : least));
  return rarest.size <= SORTED_MAX ? rarest.way : null;
}

/** The limit exceeds the counted number, because rows may have been added since. */
const MAX = { probe: SORTED_MAX + 1, source: 2 * SORTED_MAX };

function waysOf<Field extends string>(
  db: Db,
  table: ListedTable<Field>,
  { conditions, narrowing }: Selection<Field>,
): Way[] {
  const ranges = conditions.filter((one) => isRange(table.columns[one.field], one));
  const ways = [...Map.groupBy(ranges, ({ field }) => field)].map(([field, ranges]) => {
    const column: Column = table.columns[field];
    const test = sql<SqlBool>`${sql.join(
      ranges.map((one) => toRangeSql(db, column, one)),
      sql` and `,
    )}`;
    const values = ranges.map(valuesOf).find((values) => values !== null) ?? null;
    return rangeWay(db, { table: table.name, column, test, values }, MAX);
  });
  const { ids, reference } = narrowing ?? {};
  if (!ids || !reference) return ways;
  const source = rowsByKey(
    db,
    table.name,
    reference,
    sql`select distinct key from (${ids(MAX.source)}) part`,
  );
  return [...ways, { probe: ids(MAX.probe), source, test: null }];
}

/** Returns the way along the index of the order. */
function walkOf<Field extends string>(
  db: Db,
  table: ListedTable<Field>,
  { conditions, narrowing }: Selection<Field>,
  { order, bounds = [], limit, offset }: Slice<Field>,
): IndexWalk {
  const { field, index, leading, isIn } = indexOf(table, conditions, order);
  const isOfIndex = (one: Condition<Field>) => {
    const column: Column = table.columns[one.field];
    return one.field === field && isRange(column, one) && !column.stem && valuesOf(one) === null;
  };
  const toTest = (one: Condition<Field>) => toSql(db, table.columns[one.field], one);
  const tests = conditions.filter((one) => !isOfIndex(one)).map(toTest);
  return {
    table: table.name,
    index,
    order: orderOf(table, order),
    leading,
    ranges: [...isIn, ...conditions.filter(isOfIndex).map(toTest), ...bounds],
    tests: narrowing ? [...tests, narrowing.test] : tests,
    limit,
    offset,
  };
}

/** An index in an order. */
interface OrderedIndex<Field extends string> {
  /** The field whose conditions are ranges of the index. */
  field: Field | undefined;
  index: string | null;
  /** The column that the index begins with, if it is not one of the order. */
  leading: RawBuilder<unknown>[];
  /** Tells that a row is in the index. */
  isIn: RawBuilder<SqlBool>[];
}

/** Returns the index of an order. */
function indexOf<Field extends string>(
  table: ListedTable<Field>,
  conditions: readonly Condition<Field>[],
  order: readonly OrderStep<Field>[],
): OrderedIndex<Field> {
  for (const one of conditions) {
    const { ofOneValue }: Column = table.columns[one.field];
    const isOne = one.test === 'any' && one.values.length === 1 && one.values[0];
    const index = isOne && order[0] && ofOneValue?.indexes[order[0].field];
    if (index && ofOneValue)
      return { field: one.field, index, leading: [], isIn: [ofOneValue.isIn] };
  }
  const field = leadingField(table, conditions, order);
  const column: Column | undefined = field && table.columns[field];
  const byId = order[1]?.field === 'id' ? column?.indexById : undefined;
  const direction = sql.raw(directionOf(order[0]?.descending ?? false));
  const leading = column && field !== order[0]?.field ? [sql`${column.value}${direction}`] : [];
  return { field, index: byId ?? column?.index ?? null, leading, isIn: [] };
}

/**
 * Returns the field whose index is in the order. By uuid, which is the default, rows that are equal in a field are in
 * order in the index of that field.
 */
function leadingField<Field extends string>(
  { columns }: ListedTable<Field>,
  conditions: readonly Condition<Field>[],
  order: readonly OrderStep<Field>[],
): Field | undefined {
  const first = order[0]?.field;
  if (first !== 'uuid') return first;
  const equal = conditions.find((one) => {
    const { index, isUnique, stem }: Column = columns[one.field];
    return isEquality(one) && index !== null && !isUnique && !stem;
  });
  return equal?.field ?? first;
}

function isEquality<Field extends string>(condition: Condition<Field>): boolean {
  return condition.test === 'absent' || (condition.test === 'any' && condition.values.length === 1);
}

function testsOf<Field extends string>(
  db: Db,
  { columns }: ListedTable<Field>,
  { conditions, narrowing }: Selection<Field>,
  way: Way | null,
): RawBuilder<SqlBool>[] {
  const tests = conditions.map((one) => toSql(db, columns[one.field], one));
  return [way?.test, ...tests, narrowing?.test].filter((test) => test != null);
}
