import { type RawBuilder, sql } from 'kysely';
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

/** Tells whether a subtree holds a node that does not belong to this owner. */
export async function hasNodesOfOthers(db: Db, subtree: Subtree, owner: string): Promise<boolean> {
  const found = nodesIn(db, subtree)
    .where((eb) => eb.or([eb('owner', '!=', owner), eb('owner', 'is', null)]))
    .select('id')
    .limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

/** Returns the media in a subtree, with the columns that decide their visibility. */
export function listMediasInSubtree(
  db: Db,
  scope: Scope,
  subtree: Subtree,
): Promise<ScopeColumns[]> {
  return inScope(db, nodesIn(db, subtree), scope)
    .where('type', '!=', 'folder')
    .select(['id', 'parent_id', 'path', 'owner', 'is_public'])
    .execute();
}

/** Deletes a node and everything below it. */
export async function deleteSubtree(db: Db, subtree: Subtree): Promise<void> {
  await db.deleteFrom('file').where('media_id', 'in', nodesIn(db, subtree).select('id')).execute();
  await db.deleteFrom('media').where(isInSubtree(subtree)).execute();
}

/** Starts a query over a node and everything below it. */
export function nodesIn(db: Db, subtree: Subtree) {
  return db.selectFrom('media').where(isInSubtree(subtree));
}

function isInSubtree({ id, below }: Subtree): RawBuilder<boolean> {
  return sql<boolean>`(id = ${id} or ${isBelow(below)})`;
}

// A range, and not `like`: an index serves it on both databases.
function isBelow(below: string): RawBuilder<boolean> {
  return sql<boolean>`(path >= ${below} and path < ${endOfPath(below)})`;
}
