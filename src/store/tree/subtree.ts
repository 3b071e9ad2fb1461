import { countRows } from '../cursor.ts';
import type { Db } from '../db.ts';
import { lockRow } from '../dialect.ts';
import type { Subtree } from '../path.ts';
import { isBelow, withActualPath } from '../path-move.ts';
import { inScope, type Scope, type ScopeColumns } from '../scope.ts';
import type { NodeRow } from '../table.ts';
import { ROOT_ID } from './folder.ts';
import { changedAt } from './node.ts';

/** Blocks other transactions that move nodes, until the end of this one. */
export async function lockTree(db: Db): Promise<void> {
  await lockRow(db, 'media', ROOT_ID);
}

/** The new place of a node. */
export interface Move {
  id: number;
  parentId: number;
  sortOrder: number;
  to: Pick<NodeRow, 'path' | 'level'>;
  now: number;
}

/** Moves a node. The paths of the nodes below it are left to the caller. */
export async function moveNode(db: Db, { id, to, ...move }: Move): Promise<void> {
  await db
    .updateTable('media')
    .set({
      parent_id: move.parentId,
      path: to.path,
      level: to.level,
      sort_order: move.sortOrder,
      updated_at: changedAt(move.now),
    })
    .where('id', '=', id)
    .execute();
}

/** A node that is being deleted: its type and name, and the columns that decided its visibility. */
export type DeletedNode = ScopeColumns & Pick<NodeRow, 'type' | 'name'>;

/**
 * Returns the first `limit` nodes below the top of a subtree in an order in which each node comes after everything
 * below it: a path begins with the path of each folder above it.
 */
export async function listDeepestNodes(
  db: Db,
  scope: Scope,
  { below }: Subtree,
  limit: number,
): Promise<DeletedNode[]> {
  const nodes = await inScope(db, db.selectFrom('media').where(isBelow(scope.moved, below)), scope)
    .orderBy('path', 'desc')
    .limit(limit)
    .select(['id', 'type', 'name', 'parent_id', 'path', 'owner', 'is_public'])
    .execute();
  if (scope.moved.length === 0) return nodes;
  const rows = nodes.map((node) => withActualPath(scope.moved, node));
  return rows.sort((a, b) => (a.path < b.path ? 1 : -1));
}

/** Returns the number of nodes below the top of a subtree. */
export function countNodesBelow(db: Db, scope: Scope, { below }: Subtree): Promise<number> {
  return countRows(inScope(db, db.selectFrom('media').where(isBelow(scope.moved, below)), scope));
}
