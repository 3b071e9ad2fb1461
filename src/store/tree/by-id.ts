import type { SelectQueryBuilder } from 'kysely';
import { type Columns, type RowOf, selectColumns } from '../columns.ts';
import type { Db } from '../db.ts';
import { withActualPaths } from '../path-move.ts';
import { prepared } from '../prepared.ts';
import { isInScope, type Scope, type ScopeColumns, withScopeColumns } from '../scope.ts';
import type { Database, NodeRow } from '../table.ts';

interface Args {
  ids: readonly number[];
  columns: Columns<NodeRow>;
}

/** Prepares reads of nodes that are in a scope: of one node by its id, and of several by their ids, unordered. */
export function preparedNodes(
  build: (db: Db, ids: readonly number[]) => SelectQueryBuilder<Database, 'media', object>,
) {
  const run = prepared<Args, ScopeColumns>({
    isLookup: true,
    keyOf: ({ columns }) => String(columns),
    lookupsOf: ({ ids }) => ids.length,
    build: (db, { columns }, slot) =>
      selectColumns(
        build(
          db,
          slot(({ ids }) => ids),
        ),
        'media',
        columns,
      ),
  });
  const list = async <C extends Columns<NodeRow> = undefined>(
    db: Db,
    scope: Scope,
    ids: readonly number[],
    columns?: C,
  ): Promise<RowOf<NodeRow, C>[]> => {
    const rows = await run(db, { ids, columns: withScopeColumns(columns, scope) });
    const shown = rows.filter((row) => isInScope(scope, row));
    return withActualPaths(scope.moved, shown) as unknown[] as RowOf<NodeRow, C>[];
  };
  const find = async <C extends Columns<NodeRow> = undefined>(
    db: Db,
    scope: Scope,
    id: number,
    columns?: C,
  ): Promise<RowOf<NodeRow, C> | undefined> => (await list(db, scope, [id], columns))[0];
  return { find, list };
}
