import type { SelectQueryBuilder } from 'kysely';
import type { Database } from './table.ts';

/** The columns that a reader needs. Undefined: all. */
export type Columns<Row> = readonly (keyof Row & string)[] | undefined;

/** A row as it was read: whole, or some of its columns. */
export type RowOf<Row, C> = C extends undefined ? Row : Partial<Row>;

/** Selects columns of a table. */
export function selectColumns<Tables extends keyof Database>(
  query: SelectQueryBuilder<Database, Tables, object>,
  table: Tables,
  columns: readonly string[] | undefined,
): SelectQueryBuilder<Database, Tables, object> {
  return columns === undefined
    ? query.selectAll(table as never)
    : query.select(columns.map((name) => `${table}.${name}`) as never);
}

/** Returns these columns and the others, each once; all, if all were asked for. */
export function withColumns<Row>(
  columns: Columns<Row>,
  others: readonly (keyof Row & string)[],
): Columns<Row> {
  return columns && [...new Set([...columns, ...others])];
}
