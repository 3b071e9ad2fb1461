import { z } from 'zod';
import { pathBelow } from '../../store/path.ts';
import type { NodeRow } from '../../store/table.ts';
import { ROOT_ID } from '../../store/tree/folder.ts';
import { listNodesByIds, SORT_ORDER_MAX } from '../../store/tree/node.ts';
import { lockTree, moveSubtree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { FolderCycleError, ForbiddenError, NotFoundError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { parseInput } from '../input.ts';
import { authorize, isAdmin, isOwner, refuseStartNode, scopeOf } from '../viewer/access.ts';
import { withLatest } from './deletion.ts';
import { nodesByIds, type TreeNode } from './node-list.ts';
import { type Place, placeIn } from './place.ts';

const moveInput = z.object({
  ids: z
    .array(z.int().positive())
    .min(1, 'Expected at least one id.')
    .max(200, 'At most 200 ids.')
    .transform((ids) => [...new Set(ids)]),
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
    for (const [index, row] of rows.entries()) await move(ctx, row, place, index);
    return nodesByIds(ctx, ids);
  });
  await announceMove(ctx);
  return nodes;
}

/**
 * Makes all processes reload the paths of subtrees that are being deleted, which may have moved with a folder above
 * them. Does nothing inside a transaction: its owner calls this after the commit.
 */
export async function announceMove({ db, deletions }: Context): Promise<void> {
  if (!db.isTransaction && deletions.current.subtrees.length > 0) await deletions.announce();
}

async function findOwnNodes(ctx: Context, ids: readonly number[]): Promise<NodeRow[]> {
  const rows = await listNodesByIds(ctx.db, scopeOf(ctx), ids);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = found.get(id);
    if (row === undefined) throw new NotFoundError('node', id);
    if (!isAdmin(ctx) && !isOwner(ctx, row.owner)) throw new ForbiddenError();
    refuseStartNode(ctx, id);
    return row;
  });
}

async function move(ctx: Context, row: NodeRow, place: Place, index: number): Promise<void> {
  const isBelowItself = place.path.startsWith(pathBelow(row));
  if (row.type === 'folder' && isBelowItself) throw new FolderCycleError();
  await moveSubtree(ctx.db, {
    id: row.id,
    parentId: place.parent_id ?? ROOT_ID,
    sortOrder: Math.min(place.sort_order + index, SORT_ORDER_MAX),
    from: row,
    to: place,
    now: ctx.clock(),
  });
  if (row.type !== 'folder') ctx.events.publish(mediaEvent('moved', row, place.parent_id));
}
