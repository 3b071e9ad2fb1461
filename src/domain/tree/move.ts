import { z } from 'zod';
import { pathBelow } from '../../store/path.ts';
import type { NodeRow } from '../../store/table.ts';
import { ROOT_ID } from '../../store/tree/folder.ts';
import { listNodesByIds, SORT_ORDER_MAX } from '../../store/tree/node.ts';
import { lockTree, moveNode } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { FolderCycleError, ForbiddenError, NotFoundError } from '../error.ts';
import { nodeEvent } from '../event/event.ts';
import { parseInput } from '../input.ts';
import { forOne } from '../one-of-many.ts';
import {
  authorize,
  existing,
  isAdmin,
  isOwner,
  refuseStartNode,
  scopeOf,
} from '../viewer/access.ts';
import { type NewAuditEntry, recordAudit } from '../viewer/audit.ts';
import { withLatest } from './deletion.ts';
import { nodeTarget } from './node.ts';
import { idsOfKeys, type NodeKey, rowsOfKeys, someNodes } from './node-key.ts';
import { nodesByIds, type TreeNode } from './node-list.ts';
import { movePaths } from './path-move.ts';
import { type Place, placeIn } from './place.ts';

const moveInput = z.object({
  ids: someNodes,
  parentId: z.int().nullish(),
});

/**
 * Moves folders, with everything below them, and media to the end of a folder, in the given order; without `parentId`
 * to the top level. All or nothing. Needs the creator of each or an admin. Throws NotFoundError, FolderCycleError.
 */
export async function moveNodes(
  ctx: Context,
  input: z.input<typeof moveInput>,
): Promise<TreeNode[]> {
  authorize(ctx, 'folder.update');
  const { ids, parentId } = parseInput(moveInput, input);
  const nodes = await transact(ctx, async (inside) => {
    // Without the lock, two moves into each other could both find no cycle and create one.
    await lockTree(inside.db);
    const ctx = await withLatest(inside);
    const place = await placeIn(ctx, parentId ?? ROOT_ID);
    const rows = await findOwnNodes(ctx, ids);
    const last = (index: number) => Math.min(place.sort_order + index, SORT_ORDER_MAX);
    return moveTo(ctx, rows, place, last);
  });
  await announceMove(ctx);
  return nodes;
}

/**
 * Makes all processes reload the paths of subtrees that are being moved, or that are being deleted and have moved with a
 * folder above them. Does nothing inside a transaction: its owner calls this after the commit.
 */
export async function announceMove({ db, pending }: Context): Promise<void> {
  if (db.isTransaction) return;
  const before = pending.current;
  await pending.reload();
  if ([before, pending.current].some(hasPaths)) await pending.announce();
}

function hasPaths({ subtrees, moved }: Context['pending']['current']): boolean {
  return subtrees.length > 0 || moved.length > 0;
}

/**
 * Moves nodes to a place, in a transaction, with the tree locked. `sortOrderOf` returns the position of each by its
 * index. Returns the moved nodes. The caller calls `announceMove` after the commit. Throws FolderCycleError.
 */
export async function moveTo(
  ctx: Context,
  rows: readonly NodeRow[],
  place: Place,
  sortOrderOf: (index: number) => number,
): Promise<TreeNode[]> {
  await recordAudit(ctx, ...rows.map((row) => moveEntry(row, place)));
  let isAnyPathChanged = false;
  for (const [index, found] of rows.entries()) {
    // One of the nodes may be below another one, which has just been moved.
    const row = isAnyPathChanged ? await findAgain(ctx, found) : found;
    await forOne({ id: row.id }, () => move(ctx, row, place, sortOrderOf(index)));
    if (row.type === 'folder') isAnyPathChanged = true;
  }
  const ids = rows.map(({ id }) => id);
  return nodesByIds(isAnyPathChanged ? await withLatest(ctx) : ctx, ids);
}

function moveEntry(row: NodeRow, { parent_id }: Place): NewAuditEntry {
  const [from, to] = [row.parent_id, parent_id].map((id) => (id === ROOT_ID ? null : id));
  return { action: 'move', target: nodeTarget(row), details: { from, to } };
}

/**
 * Returns the rows of nodes that the viewer may move, in the order of the keys. Throws NotFoundError and ForbiddenError
 * for the first other one.
 */
export async function findOwnNodes(ctx: Context, keys: readonly NodeKey[]): Promise<NodeRow[]> {
  const found = await listNodesByIds(ctx.db, scopeOf(ctx), idsOfKeys(keys));
  const rows = new Map(found.map((row) => [row.id, row]));
  return rowsOfKeys(keys, rows, ({ id, owner }) => {
    if (!isAdmin(ctx) && !isOwner(ctx, owner)) {
      throw new ForbiddenError('You do not have permission to move this node.');
    }
    refuseStartNode(ctx, id);
  });
}

async function findAgain(outer: Context, { id }: NodeRow): Promise<NodeRow> {
  const ctx = await withLatest(outer);
  const [row] = await listNodesByIds(ctx.db, existing(ctx), [id]);
  if (row === undefined) throw new NotFoundError('node', id);
  return row;
}

async function move(ctx: Context, row: NodeRow, place: Place, sortOrder: number): Promise<void> {
  const isBelowItself = place.path.startsWith(pathBelow(row));
  if (row.type === 'folder' && isBelowItself) throw new FolderCycleError();
  await moveNode(ctx.db, {
    id: row.id,
    parentId: place.parent_id ?? ROOT_ID,
    sortOrder,
    to: place,
    now: ctx.clock(),
  });
  if (row.type === 'folder') await movePaths(ctx, row, place.path);
  ctx.events.publish(nodeEvent('moved', row, place.parent_id));
}
