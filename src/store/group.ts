import { type Expression, type Selectable, sql } from 'kysely';
import { directionOf, type Keyset, type PageRequest, type RowPage, toRowPage } from './cursor.ts';
import type { Db } from './db.ts';
import { rowsOfEach } from './dialect.ts';
import type { Database } from './table.ts';

/**
 * Returns one page of each of many groups, in one statement. `members` selects the ids of one group's page, which it calls
 * `part.value`. Every group has an entry.
 */
export async function listOfEach<Table extends 'media' | 'job'>(
  db: Db,
  table: Table,
  members: Expression<{ id: number }>,
  groups: readonly number[],
  keyset: Keyset,
  request: PageRequest,
): Promise<Map<number, RowPage<Selectable<Database[Table]>>>> {
  const order = keyset.columns.map(
    ({ name }) =>
      sql`${sql.ref(`${table}.${name}`)} ${sql.raw(directionOf(keyset.descending, request.backward))}`,
  );
  const rows = rowsOfEach(db, table, groups, members);
  const ordered = await sql<
    Selectable<Database[Table]> & { part: number }
  >`${rows} order by ${sql.join(order)}`.execute(db);
  const byGroup = Map.groupBy(ordered.rows, ({ part }) => part);
  return new Map(groups.map((group) => [group, toRowPage(byGroup.get(group) ?? [], request)]));
}
