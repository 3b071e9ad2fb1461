import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import {
  type Hiding,
  inScope,
  isPrivateOfOthers,
  type Scope,
  type ScopeColumns,
} from '../scope.ts';
import type { NodeRow } from '../table.ts';
import { changedAt } from './node.ts';

/** The hidden children of a folder that are listed. */
interface HiddenChildren {
  folderId: number;
  hiding: Hiding;
  limit: number;
}

/** Returns the first media directly in a folder that are hidden, in id order. */
export function listHiddenChildren(
  db: Db,
  scope: Scope,
  { folderId, hiding, limit }: HiddenChildren,
): Promise<(ScopeColumns & Pick<NodeRow, 'type' | 'name'>)[]> {
  return inScope(db, db.selectFrom('media').where('parent_id', '=', folderId), scope)
    .where(isPrivateOfOthers(hiding))
    .orderBy('id')
    .limit(limit)
    .select(['id', 'parent_id', 'path', 'owner', 'is_public', 'type', 'name'])
    .execute();
}

/** Takes media out of their folders. */
export async function unfileNodes(db: Db, ids: readonly number[], now: number): Promise<void> {
  await db
    .updateTable('media')
    .set({ parent_id: null, path: '', level: 0, sort_order: 0, updated_at: changedAt(now) })
    .where(isAnyOf(db, 'id', ids))
    .execute();
}
