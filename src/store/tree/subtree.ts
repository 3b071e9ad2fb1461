import { type RawBuilder, sql } from 'kysely';
import { countRows } from '../cursor.ts';
import type { Db } from '../db.ts';
import { lockRow } from '../dialect.ts';
import { endOfPath, pathBelow, type Subtree } from '../path.ts';
import { inScope, type Scope, type ScopeColumns } from '../scope.ts';
import type { NodeRow } from '../table.ts';
import { ROOT_ID } from './folder.ts';

/** Blocks other transactions that move nodes, until the end of this one. */
export async function lockTree(db: Db): Promise<void> {
  await lockRow(db, 'media', ROOT_ID);
}

/** The new place of a node and of everything below it. */
export interface Move {
  id: number;
  parentId: number;
  sortOrder: number;
  from: Pick<NodeRow, 'path' | 'level'>;
  to: Pick<NodeRow, 'path' | 'level'>;
  now: number;
}

/** Moves a node with everything below it, in two statements whatever the size of the subtree. */
export async function moveSubtree(db: Db, move: Move): Promise<void> {
  const { id, from, to } = move;
  const below = pathBelow({ id, path: from.path });
  await db
    .updateTable('media')
    .set({
      path: sql<string>`${pathBelow({ id, path: to.path })} || substr(path, ${below.length + 1})`,
      level: sql<number>`level + ${to.level - from.level}`,
    })
    .where(isBelow(below))
    .execute();
  await db
    .updateTable('media')
    .set({
      parent_id: move.parentId,
      path: to.path,
      level: to.level,
      sort_order: move.sortOrder,
      updated_at: move.now,
    })
    .where('id', '=', id)
    .execute();
}

/** A node that is being deleted: its type, and the columns that decided its visibility. */
export type DeletedNode = ScopeColumns & Pick<NodeRow, 'type'>;

/**
 * Returns the first `limit` nodes below the top of a subtree in an order in which each node comes after everything
 * below it: a path begins with the path of each folder above it.
 */
export function listDeepestNodes(
  db: Db,
  scope: Scope,
  { below }: Subtree,
  limit: number,
): Promise<DeletedNode[]> {
  return inScope(db, db.selectFrom('media').where(isBelow(below)), scope)
    .orderBy('path', 'desc')
    .limit(limit)
    .select(['id', 'type', 'parent_id', 'path', 'owner', 'is_public'])
    .execute();
}

/** Returns the number of nodes below the top of a subtree. */
export function countNodesBelow(db: Db, scope: Scope, { below }: Subtree): Promise<number> {
  return countRows(inScope(db, db.selectFrom('media').where(isBelow(below)), scope));
}

// A range, and not `like`: an index serves it on both databases.
function isBelow(below: string): RawBuilder<boolean> {
  return sql<boolean>`(path >= ${below} and path < ${endOfPath(below)})`;
}
