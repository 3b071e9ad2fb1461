import {
  type RawBuilder,
  type ReferenceExpression,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from 'kysely';
import { derived, type ToSlot } from './slot.ts';
import type { Database } from './table.ts';

/** The order of a list. Its last column is unique, so that every row has a place of its own. */
export interface Keyset {
  /** Names the list and its order: two lists with the same columns are still two. */
  name: string;
  columns: readonly KeysetColumn[];
  descending: boolean;
}

/** A column is never null: a comparison with null is neither true nor false, and the row would be on no page. */
export interface KeysetColumn {
  name: string;
  type: 'number' | 'string';
}

/** Returns the keyset of a list that is ordered by one column, then by id. */
export function keysetBy(name: string, column: KeysetColumn, descending = false): Keyset {
  const id: KeysetColumn = { name: 'id', type: 'number' };
  return { name, columns: column.name === 'id' ? [id] : [column, id], descending };
}

/** The values of a row's keyset columns: its place in the list. */
export type Position = readonly (string | number)[];

/** A part of a list. Both ends are exclusive. */
export interface PageRequest {
  /** The maximum number of rows. */
  limit: number;
  /** Whether the row after the last one is read, which tells whether more rows follow. (Default: true) */
  looksAhead?: boolean | undefined;
  /** True: the last rows before `before`. False: the first rows after `after`. */
  backward: boolean;
  after?: Position | undefined;
  before?: Position | undefined;
  /** The number of rows that are skipped, in lists that page by offset. */
  offset?: number | undefined;
}

/** Rows in the order of the list, in whichever direction they were read. */
export interface RowPage<Row> {
  rows: Row[];
  /** Whether more rows follow in the direction that was read; false also if the request did not look ahead. */
  hasMore: boolean;
}

/**
 * Returns one page by keyset. The index finds the place, so that the last page costs as much as the first one, and
 * rows that are inserted meanwhile shift nothing.
 */
export async function listPage<Table extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
  keyset: Keyset,
  request: PageRequest,
): Promise<RowPage<Row>> {
  return toRowPage(await pageOf(query, keyset, request).execute(), request);
}

/** Returns the number of rows of a query. */
export async function countRows<Table extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
): Promise<number> {
  const { count } = await query
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Returns the query of a page and, if the request looks ahead, of one more row. */
export function pageOf<Table extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
  { columns, descending }: Keyset,
  { limit, looksAhead = true, backward, after, before }: PageRequest,
): SelectQueryBuilder<Database, Table, Row> {
  const place = sql.join(columns.map(({ name }) => sql.ref(name)));
  const beyond = (operator: '<' | '>', position: Position) =>
    sql<boolean>`(${place}) ${sql.raw(operator)} (${sql.join(position)})`;
  const [next, previous] = descending ? (['<', '>'] as const) : (['>', '<'] as const);

  let page = query.limit(rowsToRead({ limit, looksAhead }));
  if (after) page = page.where(beyond(next, after));
  if (before) page = page.where(beyond(previous, before));
  for (const { name } of columns) {
    page = page.orderBy(
      name as ReferenceExpression<Database, Table>,
      directionOf(descending, backward),
    );
  }
  return page;
}

/** Returns what the text of a page's query depends on. */
export function pageKey(
  { columns, descending }: Keyset,
  { looksAhead = true, backward, after, before, offset }: PageRequest,
): string {
  const order = `${columns.map(({ name }) => name)} ${descending} ${backward}`;
  return `${order} ${looksAhead} ${[after, before, offset].map((value) => value !== undefined)}`;
}

/** Returns a request of the same kind with slots for its values. */
export function pageSlots(
  { looksAhead, backward, after, before, offset }: PageRequest,
  slot: ToSlot<{ page: PageRequest }>,
): PageRequest {
  return {
    limit: slot(({ page }) => page.limit),
    looksAhead,
    backward,
    after: after?.map((_, index) => slot(({ page }) => page.after?.[index] ?? '')),
    before: before?.map((_, index) => slot(({ page }) => page.before?.[index] ?? '')),
    ...(offset !== undefined && { offset: slot(({ page }) => page.offset) }),
  };
}

/** Returns the number of rows that are read for a page: the limit is a value, or the slot of one. */
export function rowsToRead({
  limit,
  looksAhead = true,
}: Pick<PageRequest, 'limit' | 'looksAhead'>): number {
  return derived(limit, (limit) => limit + Number(looksAhead));
}

/**
 * Returns the end of a statement that selects one page and, if the request looks ahead, one more row. `refs` are the
 * keyset's columns in this statement, `leading` others that are the same in all of its rows.
 */
export function pageClause(
  refs: readonly RawBuilder<unknown>[],
  keyset: Keyset,
  { limit, looksAhead, backward, after, before, offset }: PageRequest,
  conditions: readonly RawBuilder<SqlBool>[],
  leading: readonly RawBuilder<unknown>[] = [],
): RawBuilder<unknown> {
  const [next, previous] = keyset.descending ? (['<', '>'] as const) : (['>', '<'] as const);
  const beyond = (operator: '<' | '>', position: Position) =>
    sql<SqlBool>`(${sql.join(refs)}) ${sql.raw(operator)} (${sql.join(position)})`;
  const all = [
    ...conditions,
    ...(after ? [beyond(next, after)] : []),
    ...(before ? [beyond(previous, before)] : []),
  ];
  const where = all.length === 0 ? sql`` : sql`where ${sql.join(all, sql` and `)}`;
  const skipped = offset === undefined ? sql`` : sql`offset ${offset}`;
  return sql`${where} ${orderClause([...leading, ...refs], keyset, backward)} limit ${rowsToRead({ limit, looksAhead })} ${skipped}`;
}

/** Returns the order in which the index is read. */
export function orderClause(
  refs: readonly RawBuilder<unknown>[],
  { descending }: Keyset,
  backward: boolean,
): RawBuilder<unknown> {
  const direction = sql.raw(directionOf(descending, backward));
  return sql`order by ${sql.join(refs.map((ref) => sql`${ref} ${direction}`))}`;
}

/** Returns the rows of `pageOf` in the order of the list. */
export function toRowPage<Row>(rows: Row[], { limit, backward }: PageRequest): RowPage<Row> {
  const hasMore = rows.length > limit;
  const shown = hasMore ? rows.slice(0, limit) : rows;
  return { rows: backward ? shown.reverse() : shown, hasMore };
}

/** Returns the direction in which the index is read: backward, the last rows come first. */
export function directionOf(descending: boolean, backward: boolean): 'asc' | 'desc' {
  return descending === backward ? 'asc' : 'desc';
}
