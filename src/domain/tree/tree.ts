import { z } from 'zod';
import type { MediaRow } from '../../store/table.ts';
import { findFolderById, ROOT_ID } from '../../store/tree/folder.ts';
import { SORT_ORDER_MAX, updateMedia } from '../../store/tree/media.ts';
import * as store from '../../store/tree/tree.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError, FolderCycleError, ForbiddenError, NotFoundError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { displayName, parseInput } from '../input.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import {
  authorize,
  authorizeOwner,
  isAdmin,
  isOwner,
  isVisible,
  refuseStartNode,
} from '../viewer/access.ts';
import { type Folder, foldersByIds, type Place, placeIn } from './folder.ts';
import { nodesByIds, type TreeNodeOf } from './node-list.ts';

const updateFolderInput = z.object({
  name: displayName(255).optional(),
  sortOrder: z.int32().optional(),
});

/** Changes what is given. Needs the creator or an admin. Throws NotFoundError. */
export async function updateFolder(
  ctx: Context,
  id: number,
  input: z.input<typeof updateFolderInput>,
): Promise<Folder> {
  return transact(ctx, async (ctx) => {
    // Else it could be deleted between the lines below.
    await store.lockNode(ctx.db, id);
    await findOwnFolder(ctx, id, 'folder.update');
    const { name, sortOrder } = parseInput(updateFolderInput, input);
    await updateMedia(ctx.db, id, {
      ...(name !== undefined && { name }),
      ...(sortOrder !== undefined && { sort_order: sortOrder }),
      updated_at: ctx.clock(),
    });
    const [folder] = await foldersByIds(ctx, [id]);
    if (folder === undefined) throw new Error('The folder that was just changed is not there.');
    return folder;
  });
}

/**
 * Deletes a folder; `recursive`, with everything below it and their bytes. Needs the creator of all of it or an
 * admin. Throws NotFoundError, ConflictError FOLDER_NOT_EMPTY, ForbiddenError.
 */
export async function deleteFolder(
  ctx: Context,
  id: number,
  { recursive }: { recursive: boolean },
): Promise<void> {
  await transact(ctx, async (ctx) => {
    await store.lockTree(ctx.db);
    const folder = await findOwnFolder(ctx, id, 'folder.delete');
    if (!recursive && (await store.hasNodesIn(ctx.db, id))) {
      throw new ConflictError('FOLDER_NOT_EMPTY', 'The folder is not empty.');
    }
    const branch = { id, below: store.pathBelow(folder) };
    if (!isAdmin(ctx) && (await store.hasNodesOfOthers(ctx.db, branch, ctx.viewer.id ?? ''))) {
      throw new ForbiddenError('There is something of somebody else in the folder.');
    }
    const medias = recursive ? await store.listMediasInBranch(ctx.db, branch) : [];
    const blobKeys = await store.listBlobKeysInBranch(ctx.db, branch);
    await store.deleteBranch(ctx.db, branch);
    await enqueueBlobDeletion(ctx, blobKeys);
    for (const media of medias) ctx.events.publish(mediaEvent('deleted', media));
  });
}

const moveInput = z.object({
  ids: z
    .array(z.int().positive())
    .min(1, 'Name at least one node.')
    .max(200, 'At most 200 nodes.')
    .transform((ids) => [...new Set(ids)]),
  parentId: z.int().nullish(),
});

/**
 * Moves folders, with all that is below them, and media to the end of a folder, in the order given; without
 * `parentId` to top level. All or nothing. Needs the creator of each or an admin. Throws NotFoundError,
 * FolderCycleError.
 */
export async function moveNodes(
  ctx: Context,
  input: z.input<typeof moveInput>,
): Promise<TreeNodeOf[]> {
  authorize(ctx, 'folder.update');
  const { ids, parentId } = parseInput(moveInput, input);
  return transact(ctx, async (ctx) => {
    // Without the lock, two moves into each other could both find no cycle, and make one.
    await store.lockTree(ctx.db);
    const place = await placeIn(ctx, parentId ?? ROOT_ID);
    const rows = await findOwnNodes(ctx, ids);
    for (const [index, row] of rows.entries()) await move(ctx, row, place, index);
    return nodesByIds(ctx, ids);
  });
}

async function move(ctx: Context, row: MediaRow, place: Place, index: number): Promise<void> {
  const isBelowItself = place.path.startsWith(store.pathBelow(row));
  if (row.type === 'folder' && isBelowItself) throw new FolderCycleError();
  await store.moveBranch(ctx.db, {
    id: row.id,
    parentId: place.parent_id ?? ROOT_ID,
    sortOrder: Math.min(place.sort_order + index, SORT_ORDER_MAX),
    from: row,
    to: place,
    now: ctx.clock(),
  });
  if (row.type !== 'folder') ctx.events.publish(mediaEvent('moved', row, place.parent_id));
}

async function findOwnNodes(ctx: Context, ids: readonly number[]): Promise<MediaRow[]> {
  const found = new Map((await store.listNodesByIds(ctx.db, ids)).map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = found.get(id);
    if (row === undefined || !isVisible(ctx, row)) throw new NotFoundError('node', id);
    if (!isAdmin(ctx) && !isOwner(ctx, row.owner)) throw new ForbiddenError();
    refuseStartNode(ctx, id);
    return row;
  });
}

async function findOwnFolder(
  ctx: Context,
  id: number,
  operation: 'folder.update' | 'folder.delete',
): Promise<MediaRow> {
  const row = await findFolderById(ctx.db, id);
  const isThere = row !== undefined && isVisible(ctx, row);
  authorizeOwner(ctx, operation, isThere ? row.owner : ctx.viewer.id);
  if (!isThere) throw new NotFoundError('folder', id);
  if (operation === 'folder.delete') refuseStartNode(ctx, id);
  return row;
}
