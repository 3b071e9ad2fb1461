import { type SelectQueryBuilder, sql } from 'kysely';
import { nameSortKey } from '../lib/sort-key.ts';
import type { Database } from './table.ts';

/** The columns that a reader needs. Undefined: all. */
export type Columns<Row> = readonly (keyof Row & string)[] | undefined;

/** A row with all of its columns, or with those that were selected. */
export type RowOf<Row, C> = C extends undefined ? Row : Partial<Row>;

/** Selects columns of a table. Without any, a row only tells that it exists: SQLite demands one expression. */
export function selectColumns<Tables extends keyof Database>(
  query: SelectQueryBuilder<Database, Tables, object>,
  table: Tables,
  columns: readonly string[] | undefined,
): SelectQueryBuilder<Database, Tables, object> {
  if (columns === undefined) return query.selectAll(table as never);
  if (columns.length === 0) return query.select(sql.lit(1).as('exists'));
  return query.select(columns.map((name) => `${table}.${name}`) as never);
}

/** Returns these columns and the others, each once; all columns if the first argument is undefined. */
export function withColumns<Row>(
  columns: Columns<Row>,
  others: readonly (keyof Row & string)[],
): Columns<Row> {
  return columns && [...new Set([...columns, ...others])];
}

/** Returns the columns of a row with the keys that its name and its title, if they are among them, are ordered by. */
export function withSortKey<
  Columns extends { name?: string | undefined; title?: string | null | undefined },
>(columns: Columns) {
  const { name, title } = columns;
  return {
    ...columns,
    ...(name !== undefined && { name_sort: nameSortKey(name) }),
    ...(title !== undefined && { title_sort: title ? nameSortKey(title) : '' }),
  };
}
