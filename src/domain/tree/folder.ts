import { z } from 'zod';
import type { Db } from '../../store/db.ts';
import type { MediaRow } from '../../store/table.ts';
import * as store from '../../store/tree/folder.ts';
import { insertMedia, nextSortOrder } from '../../store/tree/media.ts';
import { lockTree, pathBelow } from '../../store/tree/tree.ts';
import { type Context, transact } from '../context.ts';
import { ForbiddenError, NotFoundError } from '../error.ts';
import { displayName, parseInput } from '../input.ts';
import { authorize, isVisible, isWithin, sightOf } from '../viewer/access.ts';
import { type TreeNode, toTreeNode } from './media.ts';

/** A node of the tree that holds others. */
export interface Folder extends TreeNode {
  type: 'folder';
}

/** Exactly one of these; `path` is of names, `/Design/Logos`. */
export type FolderBy = { id: number } | { uuid: string } | { path: string };

/** Where a node goes: columns of its row. */
export interface Place {
  parent_id: number | null;
  level: number;
  path: string;
  sort_order: number;
}

/** The folder, or null if there is none that the viewer may see. */
export async function findFolder(ctx: Context, by: FolderBy): Promise<Folder | null> {
  const row = await findRow(ctx, by);
  return row && isVisible(ctx, row) ? toFolder(row) : null;
}

/** Those of the folders that there are and that the viewer may see, unordered. */
export async function foldersByIds(ctx: Context, ids: readonly number[]): Promise<Folder[]> {
  const rows = await store.listFoldersByIds(ctx.db, ids);
  return rows.filter((row) => isVisible(ctx, row)).map(toFolder);
}

const createFolderInput = z.object({
  name: displayName(255),
  parentId: z.int().nullish(),
  sortOrder: z.int32().nullish(),
});

/** Makes a folder, at top level without `parentId`, after its siblings without `sortOrder`. */
export async function createFolder(
  ctx: Context,
  input: z.input<typeof createFolderInput>,
): Promise<Folder> {
  authorize(ctx, 'folder.create');
  const { name, parentId, sortOrder } = parseInput(createFolderInput, input);
  return transact(ctx, async (ctx) => {
    const place = await placeIn(ctx, parentId ?? store.ROOT_ID);
    const now = ctx.clock();
    const { id } = await insertMedia(ctx.db, {
      ...place,
      uuid: ctx.newId(),
      type: 'folder',
      name,
      sort_order: sortOrder ?? place.sort_order,
      owner: ctx.viewer.id,
      is_public: 0,
      created_at: now,
      updated_at: now,
    });
    const [folder] = await foldersByIds(ctx, [id]);
    if (folder === undefined) throw new Error('The folder that was just made is not there.');
    return folder;
  });
}

/**
 * The place after the last child of a folder, in a transaction that puts something there: until its end the tree is
 * locked. Two that come at once would else get one place, and what is put below a folder that moves meanwhile would
 * keep the path that the folder had. Throws what `folderToFill` does.
 */
export async function placeIn(ctx: Context, folderId: number): Promise<Place> {
  await lockTree(ctx.db);
  const folder = await folderToFill(ctx, folderId);
  return {
    parent_id: folder.id,
    level: folder.level + 1,
    path: pathBelow(folder),
    sort_order: await nextSortOrder(ctx.db, folder.id),
  };
}

/**
 * Where something may be put. Throws NotFoundError for what is no folder, or out of the viewer's sight;
 * ForbiddenError for top level, if the viewer is limited to start nodes.
 */
export async function folderToFill(
  ctx: Context,
  folderId: number,
): Promise<Pick<MediaRow, 'id' | 'level' | 'path'>> {
  const isRoot = folderId === store.ROOT_ID;
  if (isRoot && sightOf(ctx).within) {
    throw new ForbiddenError('You may add only below your start nodes.');
  }
  const folder = isRoot ? ROOT : await store.findFolderById(ctx.db, folderId);
  if (folder === undefined || !isWithin(ctx, folder)) throw new NotFoundError('folder', folderId);
  return folder;
}

const ROOT = { id: store.ROOT_ID, level: 0, path: '/', parent_id: store.ROOT_ID, owner: null };

/** Stands for top level where a folder's id is expected. */
export const TOP_LEVEL_ID = store.ROOT_ID;

/** The place of what is in no folder. */
export const UNFILED: Place = { parent_id: null, level: 0, path: '', sort_order: 0 };

async function findRow(ctx: Context, by: FolderBy): Promise<MediaRow | undefined> {
  if ('id' in by) return store.findFolderById(ctx.db, by.id);
  if ('uuid' in by) return store.findFolderByUuid(ctx.db, by.uuid.toLowerCase());
  return (await store.listFoldersByPath(ctx.db, by.path)).find((row) => isVisible(ctx, row));
}

/** A row of a folder, as the domain has it. */
export function toFolder(row: MediaRow): Folder {
  return { ...toTreeNode(row), type: 'folder' };
}
