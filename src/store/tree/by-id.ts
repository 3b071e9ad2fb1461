import type { SelectQueryBuilder } from 'kysely';
import { type Columns, type RowOf, selectColumns } from '../columns.ts';
import type { Db } from '../db.ts';
import { prepared } from '../prepared.ts';
import { isInScope, type Scope, type ScopeColumns, withScopeColumns } from '../scope.ts';
import type { Database, NodeRow } from '../table.ts';

interface Args {
  ids: readonly number[];
  columns: Columns<NodeRow>;
}

/** Prepares a read of nodes by ids: those that are in a scope, unordered. */
export function preparedNodes(
  build: (db: Db, ids: readonly number[]) => SelectQueryBuilder<Database, 'media', object>,
) {
  const run = prepared<Args, ScopeColumns>({
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
  return async <C extends Columns<NodeRow>>(
    db: Db,
    scope: Scope,
    ids: readonly number[],
    columns?: C,
  ): Promise<RowOf<NodeRow, C>[]> => {
    const rows = await run(db, { ids, columns: withScopeColumns(columns, scope) });
    return rows.filter((row) => isInScope(scope, row)) as unknown[] as RowOf<NodeRow, C>[];
  };
}
