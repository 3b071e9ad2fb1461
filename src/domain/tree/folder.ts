import { z } from 'zod';
import { listBlobKeysInSubtree } from '../../store/file/blob-key.ts';
import { pathBelow } from '../../store/path.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import * as store from '../../store/tree/folder.ts';
import { hasNodesIn, insertNode, lockNode, updateNode } from '../../store/tree/node.ts';
import {
  deleteSubtree,
  hasNodesOfOthers,
  listMediasInSubtree,
  lockTree,
} from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError, ForbiddenError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { displayName, parseInput } from '../input.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { computed, createRowReader, type Only, type RowReader } from '../row-reader.ts';
import {
  authorize,
  authorizeExisting,
  isAdmin,
  refuseStartNode,
  scopeOf,
} from '../viewer/access.ts';
import { NODE_FIELDS, type NodeFields } from './node.ts';
import { placeIn } from './place.ts';

/** A node of the tree that holds other nodes. */
export interface Folder extends NodeFields {
  type: 'folder';
}

/** The reader of folders. */
export const FOLDER: RowReader<NodeRow, Folder> = createRowReader<NodeRow, Folder>({
  ...NODE_FIELDS,
  type: computed([], () => 'folder'),
});

/** A key of a folder: exactly one of the fields. `path` consists of names, `/Design/Logos`. */
export type FolderBy = { id: number } | { uuid: string } | { path: string };

/** Returns the folder, or null if none exists that the viewer may see. */
export async function findFolder(
  ctx: Context,
  by: FolderBy,
  only?: Only<Folder>,
): Promise<Folder | null> {
  if (only !== undefined && 'id' in by) return (await foldersByIds(ctx, [by.id], only))[0] ?? null;
  const row = await findRow(ctx, by);
  return row ? toFolder(row) : null;
}

/** Returns those of the folders that exist and that the viewer may see, unordered. */
export async function foldersByIds(
  ctx: Context,
  ids: readonly number[],
  only?: Only<Folder>,
): Promise<Folder[]> {
  const { columns, convert } = FOLDER.part(only);
  return (await store.listFoldersByIds(ctx.db, scopeOf(ctx), ids, columns)).map(convert);
}

const createFolderInput = z.object({
  name: displayName(255),
  parentId: z.int().nullish(),
  sortOrder: z.int32().nullish(),
});

/** Creates a folder: at top level without `parentId`, after its siblings without `sortOrder`. */
export async function createFolder(
  ctx: Context,
  input: z.input<typeof createFolderInput>,
): Promise<Folder> {
  authorize(ctx, 'folder.create');
  const { name, parentId, sortOrder } = parseInput(createFolderInput, input);
  return transact(ctx, async (ctx) => {
    const place = await placeIn(ctx, parentId ?? store.ROOT_ID);
    const now = ctx.clock();
    const row = await insertNode(ctx.db, {
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
    return toFolder(row);
  });
}

const updateFolderInput = z.object({
  name: displayName(255).optional(),
  sortOrder: z.int32().optional(),
});

/** Changes the given fields. Needs the creator or an admin. Throws NotFoundError. */
export async function updateFolder(
  ctx: Context,
  id: number,
  input: z.input<typeof updateFolderInput>,
): Promise<Folder> {
  return transact(ctx, async (ctx) => {
    // Without the lock it could be deleted between the lines below.
    await lockNode(ctx.db, id);
    await findOwnFolder(ctx, id, 'folder.update');
    const { name, sortOrder } = parseInput(updateFolderInput, input);
    const row = await updateNode(ctx.db, id, {
      ...(name !== undefined && { name }),
      ...(sortOrder !== undefined && { sort_order: sortOrder }),
      updated_at: ctx.clock(),
    });
    return toFolder(row);
  });
}

/**
 * Deletes a folder; `recursive` also deletes everything below it, with its bytes. Needs the creator of all of it or an
 * admin. Throws NotFoundError, ConflictError FOLDER_NOT_EMPTY, ForbiddenError.
 */
export async function deleteFolder(
  ctx: Context,
  id: number,
  { recursive }: { recursive: boolean },
): Promise<void> {
  await transact(ctx, async (ctx) => {
    await lockTree(ctx.db);
    const folder = await findOwnFolder(ctx, id, 'folder.delete');
    if (!recursive && (await hasNodesIn(ctx.db, id))) {
      throw new ConflictError('FOLDER_NOT_EMPTY', 'The folder is not empty.');
    }
    const subtree = { id, below: pathBelow(folder) };
    if (!isAdmin(ctx) && (await hasNodesOfOthers(ctx.db, subtree, ctx.viewer.id ?? ''))) {
      throw new ForbiddenError(
        'The folder contains nodes that another viewer created. Only an admin can delete it.',
      );
    }
    const medias = recursive ? await listMediasInSubtree(ctx.db, EVERYTHING, subtree) : [];
    const blobKeys = await listBlobKeysInSubtree(ctx.db, EVERYTHING, subtree);
    await deleteSubtree(ctx.db, subtree);
    await enqueueBlobDeletion(ctx, blobKeys);
    for (const media of medias) ctx.events.publish(mediaEvent('deleted', media));
  });
}

/** Converts a row of a folder. */
export function toFolder(row: NodeRow): Folder {
  return FOLDER.toObject(row);
}

async function findRow(ctx: Context, by: FolderBy): Promise<NodeRow | undefined> {
  const scope = scopeOf(ctx);
  if ('id' in by) return store.findFolderById(ctx.db, scope, by.id);
  if ('uuid' in by) return store.findFolderByUuid(ctx.db, scope, by.uuid.toLowerCase());
  return (await store.listFoldersByPath(ctx.db, scope, by.path))[0];
}

async function findOwnFolder(
  ctx: Context,
  id: number,
  operation: 'folder.update' | 'folder.delete',
): Promise<NodeRow> {
  const found = await store.findFolderById(ctx.db, scopeOf(ctx), id);
  const row = authorizeExisting(ctx, operation, found, { noun: 'folder', id });
  if (operation === 'folder.delete') refuseStartNode(ctx, id);
  return row;
}
