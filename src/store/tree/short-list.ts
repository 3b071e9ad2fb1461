import type { PageRequest } from '../cursor.ts';
import type { Db } from '../db.ts';
import { inline } from '../inline.ts';
import { isUnlimited, type Scope } from '../scope.ts';
import type { NodeFilter } from './filter.ts';

/**
 * Returns the executor for pages of nodes: an inline one for all nodes, or those of folders, where an index has the
 * order of each list and nothing is passed over.
 */
export function forPages(
  db: Db,
  scope: Scope,
  { kind: _kind, folderId: _folderId, ...others }: NodeFilter,
  { limit }: PageRequest,
  pages = 1,
): Db {
  const isWalk = isUnlimited(scope) && Object.values(others).every((value) => value === undefined);
  return isWalk ? inline(db, pages * (limit + 1)) : db;
}
