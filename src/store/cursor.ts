import { type ReferenceExpression, type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from './table.ts';

/** What a list is ordered by. The last column is unique, so that every row has a place of its own. */
export interface Keyset {
  /** What is listed, and how: two lists of the same columns are still two. */
  name: string;
  columns: readonly KeysetColumn[];
  descending: boolean;
}

/**
 * Never null: a comparison with null is neither true nor false, and the row would be on no page.
 */
export interface KeysetColumn {
  name: string;
  type: 'number' | 'string';
}

/** Values of a row's keyset columns: its place in the list. */
export type Position = readonly (string | number)[];

/** Which part of a list: both ends are exclusive. */
export interface PageRequest {
  /** How many rows at most. */
  limit: number;
  /** True: the last rows before `before`; false: the first after `after`. */
  backward: boolean;
  after?: Position | undefined;
  before?: Position | undefined;
}

/** Rows in the order of the list, whichever way they were read. */
export interface RowPage<Row> {
  rows: Row[];
  /** Whether more rows follow in the direction that was read. */
  hasMore: boolean;
}

/**
 * One page by keyset: the index finds the place, so that the last page costs what the first does, and
 * rows inserted meanwhile shift nothing.
 */
export async function listPage<Table extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
  keyset: Keyset,
  request: PageRequest,
): Promise<RowPage<Row>> {
  return toRowPage(await pageOf(query, keyset, request).execute(), request);
}

/** The query of a page, and of one row more, which tells whether there are more; backward if asked so. */
export function pageOf<Table extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Table, Row>,
  { columns, descending }: Keyset,
  { limit, backward, after, before }: PageRequest,
): SelectQueryBuilder<Database, Table, Row> {
  const place = sql.join(columns.map(({ name }) => sql.ref(name)));
  const beyond = (operator: '<' | '>', position: Position) =>
    sql<boolean>`(${place}) ${sql.raw(operator)} (${sql.join(position)})`;
  const [next, previous] = descending ? (['<', '>'] as const) : (['>', '<'] as const);

  let page = query.limit(limit + 1);
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

/** The rows of `pageOf` in the order of the list. */
export function toRowPage<Row>(rows: Row[], { limit, backward }: PageRequest): RowPage<Row> {
  const hasMore = rows.length > limit;
  const shown = hasMore ? rows.slice(0, limit) : rows;
  return { rows: backward ? shown.reverse() : shown, hasMore };
}

/** Backward, the last rows come first out of the index. */
export function directionOf(descending: boolean, backward: boolean): 'asc' | 'desc' {
  return descending === backward ? 'asc' : 'desc';
}
