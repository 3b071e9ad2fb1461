import { pathBelow } from '../../store/path.ts';
import type { NodeRow } from '../../store/table.ts';
import { findFolderById, ROOT_ID } from '../../store/tree/folder.ts';
import { nextSortOrder } from '../../store/tree/node.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, NotFoundError } from '../error.ts';
import { reachOf } from '../viewer/access.ts';
import { withLatest } from './deletion.ts';
import { levelOf } from './node.ts';

/** The position of a node in the tree: columns of its row. */
export interface Place {
  parent_id: number | null;
  level: number;
  path: string;
  sort_order: number;
}

/** Stands for the top level where a folder's id is expected. */
export const TOP_LEVEL_ID = ROOT_ID;

/** The place of every unfiled node. */
export const UNFILED: Place = { parent_id: null, level: 0, path: '', sort_order: 0 };

/**
 * Returns the place after the last child of a folder, and locks the tree until the end of the transaction. Without the
 * lock, two nodes that are added at once could get the same place, and a node that is added below a folder while it
 * moves would keep the folder's old path. Throws as `folderToFill`.
 */
export async function placeIn(outer: Context, folderId: number): Promise<Place> {
  await lockTree(outer.db);
  // Another process may have moved the folder since this one last looked.
  const ctx = await withLatest(outer);
  const folder = await folderToFill(ctx, folderId);
  return {
    parent_id: folder.id,
    level: levelOf(folder) + 1,
    path: pathBelow(folder),
    sort_order: await nextSortOrder(ctx.db, folder.id),
  };
}

/**
 * Returns the folder if the viewer may add nodes to it. Throws NotFoundError if it is not a folder or out of the
 * viewer's reach; ForbiddenError for the top level, if the viewer is limited to start nodes.
 */
export async function folderToFill(
  ctx: Context,
  folderId: number,
): Promise<Pick<NodeRow, 'id' | 'path'>> {
  const reach = reachOf(ctx);
  if (folderId === ROOT_ID) {
    if (reach.within === null) return TOP_LEVEL;
    throw new ForbiddenError('The folder must be one of your start nodes, or below one.');
  }
  const folder = await findFolderById(ctx.db, reach, folderId);
  if (folder === undefined) throw new NotFoundError('folder', folderId);
  return folder;
}

const TOP_LEVEL = { id: ROOT_ID, path: '/' };
