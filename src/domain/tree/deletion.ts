import { pathBelow, type Subtree } from '../../store/path.ts';
import { partsBelow } from '../../store/path-move.ts';
import { EVERYTHING, type Scope } from '../../store/scope.ts';
import type { DeletionRow, NodeRow } from '../../store/table.ts';
import {
  findDeletion,
  insertDeletion,
  listDeletions,
  listPending,
} from '../../store/tree/deletion.ts';
import { findFolderById, findFolderByUuid } from '../../store/tree/folder.ts';
import { hasNodesIn } from '../../store/tree/node.ts';
import {
  countNodesBelow,
  type DeletedNode,
  listDeepestNodes,
  lockTree,
} from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError } from '../error.ts';
import { nodeEvent } from '../event/event.ts';
import { BITE_ROWS, type BiteOptions, inBites } from '../job/bite.ts';
import { enqueueRest } from '../job/enqueue.ts';
import { authorizeExisting, existing, refuseStartNode, scopeOf } from '../viewer/access.ts';
import { announceTop, newDeletion } from './discard.ts';
import { unfileHidden } from './hidden-child.ts';
import { rewriteRest } from './path-move.ts';
import { recordDeletion, removeNodes } from './removal.ts';

/**
 * Moves a folder into the trash; `recursive` also moves everything below it, whoever created it. Requires the creator of
 * the folder or an admin. Without `recursive`, private media of others do not count: they become unfiled. When this
 * returns, no reader sees the subtree. If it is large, a job then moves its rows. Throws NotFoundError, ConflictError
 * FOLDER_NOT_EMPTY.
 */
export async function deleteFolder(
  ctx: Context,
  id: number,
  { recursive }: { recursive: boolean },
): Promise<void> {
  const { folder, removed } = await transact(ctx, async (inside) => {
    await lockTree(inside.db);
    const ctx = await withLatest(inside);
    const folder = await findOwnFolder(ctx, id);
    await checkEmpty(ctx, id, recursive);
    const removed = await deleteSubtree(ctx, folder, newDeletion(ctx, id), BITE_ROWS);
    return { folder, removed };
  });
  logDeletion(ctx, folder, removed);
  if (removed === null) await ctx.pending.announce();
}

/** Throws ConflictError FOLDER_NOT_EMPTY unless the folder is empty or the deletion is recursive. */
export async function checkEmpty(ctx: Context, id: number, recursive: boolean): Promise<void> {
  if (recursive || (await isEmptyFor(ctx, id))) return;
  throw new ConflictError('FOLDER_NOT_EMPTY', 'The folder is not empty.');
}

/**
 * Deletes a folder with everything below it. Returns the deleted nodes; null if they would be more than `rowsMax`: then
 * no reader sees them any more once `pending` is reloaded, and a job deletes them. Call it with the tree locked.
 */
export async function deleteSubtree(
  ctx: Context,
  folder: NodeRow,
  deletion: DeletionRow,
  rowsMax: number,
): Promise<DeletedNode[] | null> {
  const nodes = await listDeepestNodes(ctx.db, allOf(ctx), toSubtree(folder), rowsMax);
  if (nodes.length < rowsMax) {
    const removed = [...nodes, folder];
    await recordDeletion(ctx, removed, deletion);
    await removeNodes(ctx, removed, [...(await listDeletions(ctx.db)), deletion]);
    return removed;
  }
  const count = await countNodesBelow(ctx.db, existing(ctx), toSubtree(folder));
  await recordDeletion(ctx, [folder], deletion, { nodes: 1 + count });
  await insertDeletion(ctx.db, deletion);
  const { trash } = deletion;
  if (trash !== null) await announceTop(ctx, folder, { ...deletion, trash });
  await enqueueRest(ctx, 'delete-subtree', { folder_uuid: folder.uuid }, folder.uuid);
  ctx.events.publish(nodeEvent('deleted', folder));
  return null;
}

/** Logs the deletion of a folder, as `deleteSubtree` returns it. */
export function logDeletion(
  { log, viewer }: Context,
  { uuid, name }: NodeRow,
  removed: readonly DeletedNode[] | null,
): void {
  const fields = { folder: uuid, name, deletedBy: viewer.id };
  if (removed === null) log.info(fields, 'began to delete a folder');
  else log.info({ ...fields, ...countNodes(removed, viewer.id) }, 'deleted a folder');
}

/**
 * Deletes the rest of a subtree whose deletion `deleteFolder` has begun, in small transactions. May be called again
 * after a crash. Returns the number of nodes that this call has deleted.
 */
export async function deleteRest(
  ctx: Context,
  folderUuid: string,
  options: BiteOptions = {},
): Promise<number> {
  const all = allOf(await withLatest(ctx));
  const folder = await findFolderByUuid(ctx.db, all, folderUuid);
  const deletion = folder && (await findDeletion(ctx.db, folder.id));
  if (folder === undefined || deletion === undefined) return 0;
  const count = 1 + (await countNodesBelow(ctx.db, all, toSubtree(folder)));
  const { signal } = options;
  await rewriteRest(ctx, { signal });
  let nodesOfOthers = 0;
  const nodes = await inBites(options, count, async (rowsMax) => {
    const bite = () => transact(ctx, (ctx) => deleteBite(ctx, folder.id, rowsMax));
    let removed = await bite();
    // It has been moved since, and the paths of its nodes do not have their order yet.
    for (; removed === null; removed = await bite()) await rewriteRest(ctx, { signal });
    const counts = countNodes(removed, deletion.deleted_by);
    nodesOfOthers += counts.nodesOfOthers;
    return counts.nodes;
  });
  await ctx.pending.reload();
  const fields = { folder: folderUuid, name: folder.name, deletedBy: deletion.deleted_by };
  ctx.log.info({ ...fields, nodes, nodesOfOthers }, 'deleted a folder');
  return nodes;
}

/**
 * Deletes up to `rowsMax` nodes of a subtree, its top node last, and returns them. Returns null while paths below it are
 * being rewritten: its nodes then have no order in which each comes after everything below it.
 */
async function deleteBite(
  outer: Context,
  id: number,
  rowsMax: number,
): Promise<DeletedNode[] | null> {
  // With the tree locked, nobody can add or move a node while the last ones are being searched for.
  await lockTree(outer.db);
  // A folder above it may have been moved since the last bite.
  const ctx = await withLatest(outer);
  const folder = await findFolderById(ctx.db, allOf(ctx), id);
  // A restore may have ended the deletion.
  if (folder === undefined || (await findDeletion(ctx.db, id)) === undefined) return [];
  if (partsBelow(allOf(ctx).moved, pathBelow(folder)).length > 1) return null;
  const nodes = await listDeepestNodes(ctx.db, allOf(ctx), toSubtree(folder), rowsMax);
  const rows = nodes.length === 0 ? [folder] : nodes;
  await removeNodes(ctx, rows, await listDeletions(ctx.db), id);
  return rows;
}

/** Enqueues the jobs of deletions that have none: an admin may have cancelled or deleted a job. */
export async function resumeDeletions(ctx: Context): Promise<void> {
  for (const { node_id } of await listDeletions(ctx.db)) {
    const folder = await findFolderById(ctx.db, EVERYTHING, node_id);
    if (folder === undefined) continue;
    await enqueueRest(ctx, 'delete-subtree', { folder_uuid: folder.uuid }, folder.uuid);
  }
}

/**
 * Returns the context with the deletions in progress, read in this transaction, so that an operation does not find
 * nodes that an earlier one has deleted. Lock the tree first.
 */
export async function withLatest(ctx: Context): Promise<Context> {
  const current = await listPending(ctx.db);
  return { ...ctx, pending: { ...ctx.pending, current } };
}

async function findOwnFolder(ctx: Context, id: number): Promise<NodeRow> {
  const found = await findFolderById(ctx.db, scopeOf(ctx), id);
  const folder = authorizeExisting(ctx, 'folder.delete', found, { noun: 'folder', id });
  refuseStartNode(ctx, id);
  return folder;
}

/** Tells whether a folder is empty as far as the viewer can see, and makes it so: see `unfileHidden`. */
async function isEmptyFor(ctx: Context, id: number): Promise<boolean> {
  if (await hasNodesIn(ctx.db, scopeOf(ctx), id)) return false;
  return unfileHidden(ctx, id);
}

/** Returns the scope of all nodes with the moves in progress: also of those that are being deleted. */
function allOf(ctx: Context): Scope {
  return { ...EVERYTHING, moved: ctx.pending.current.moved };
}

function toSubtree(folder: NodeRow): Subtree {
  return { id: folder.id, below: pathBelow(folder) };
}

/** Counts deleted nodes for the log, because the creator of a folder may delete what others have put into it. */
function countNodes(nodes: readonly DeletedNode[], deletedBy: string | null) {
  const nodesOfOthers = nodes.filter(({ owner }) => owner !== deletedBy).length;
  return { nodes: nodes.length, nodesOfOthers };
}
