import { type Expression, type RawBuilder, type Selectable, sql } from 'kysely';
import { directionOf, type Keyset, type PageRequest, type RowPage, toRowPage } from './cursor.ts';
import type { Db } from './db.ts';
import { type PagedTable, rowsOfEach } from './dialect.ts';
import type { Database } from './table.ts';

/** The pages of many groups. */
export interface PagesRequest {
  keyset: Keyset;
  page: PageRequest;
  /** Default: all. */
  columns?: readonly string[] | undefined;
}

/**
 * Returns one page of each of many groups, in one statement. `members` selects the ids of one group's page, which it
 * calls `part.value`. Every group has an entry.
 */
export async function listOfEach<Table extends PagedTable>(
  db: Db,
  table: Table,
  members: Expression<{ id: number }>,
  groups: readonly number[],
  request: PagesRequest,
): Promise<Map<number, RowPage<Selectable<Database[Table]>>>> {
  const { rows } = await rowsOfPages(db, table, members, groups, request).execute(db);
  return toPages(rows, groups, request.page);
}

/** Returns the query of `listOfEach`, whose rows name their group `part`. */
export function rowsOfPages<Table extends PagedTable>(
  db: Db,
  table: Table,
  members: Expression<{ id: number }>,
  groups: readonly number[],
  { keyset, page, columns }: PagesRequest,
): RawBuilder<Selectable<Database[Table]> & { part: number }> {
  const order = keyset.columns.map(
    ({ name }) =>
      sql`${sql.ref(`${table}.${name}`)} ${sql.raw(directionOf(keyset.descending, page.backward))}`,
  );
  return sql`${rowsOfEach(db, table, groups, members, columns)} order by ${sql.join(order)}`;
}

/** Returns the page of each group among the rows of all. */
export function toPages<Row extends { part: number }>(
  rows: readonly Row[],
  groups: readonly number[],
  page: PageRequest,
): Map<number, RowPage<Row>> {
  const byGroup = Map.groupBy(rows, ({ part }) => part);
  return new Map(groups.map((group) => [group, toRowPage(byGroup.get(group) ?? [], page)]));
}
