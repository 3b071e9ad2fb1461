import { z } from 'zod';
import { listSiblings, updatePositions } from '../../store/placement/position.ts';
import type { NodeRow } from '../../store/table.ts';
import { ROOT_ID } from '../../store/tree/folder.ts';
import { listNodesByIds, lockNodes } from '../../store/tree/node.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { parseInput } from '../input.ts';
import { withLatest } from '../tree/deletion.ts';
import { announceMove, findOwnNodes, moveTo } from '../tree/move.ts';
import { isOfKind, nodeKey, someNodes } from '../tree/node-key.ts';
import { nodesByIds, type TreeNode } from '../tree/node-list.ts';
import { type Place, placeIn } from '../tree/place.ts';
import { authorize, scopeOf } from '../viewer/access.ts';
import { NEIGHBORS_MAX, type Neighborhood, type Placement, planPlacement } from './neighborhood.ts';
import { makeRoom } from './room.ts';

const placeInput = z.object({
  ids: someNodes,
  /** Null: the top level. Absent: the folder of the sibling; without a sibling, the folder of all the nodes. */
  parentId: z.int().nullish(),
  afterId: nodeKey.nullish(),
  beforeId: nodeKey.nullish(),
});

type Request = z.output<typeof placeInput>;

/**
 * Puts folders and media into a folder, in the given order: after or before a sibling, or at the end. They may come from
 * other folders. None of them shares its position with a sibling afterwards; siblings are renumbered for that, and keep
 * their order. All or nothing. Does nothing if the nodes have that place already. Needs the creator of each node or an
 * admin. Throws NotFoundError, FolderCycleError, and InvalidInputError for a sibling that is not in the folder.
 */
export async function placeNodes(
  ctx: Context,
  input: z.input<typeof placeInput>,
): Promise<TreeNode[]> {
  authorize(ctx, 'folder.update');
  const request = parseInput(placeInput, input);
  checkSibling(request);
  for (;;) {
    // Where thousands of siblings have to make room, each transaction renumbers some of them.
    const nodes = await transact(ctx, (ctx) => tryToPlace(ctx, request));
    if (nodes === null) continue;
    await announceMove(ctx);
    return nodes;
  }
}

function checkSibling({ ids, afterId, beforeId }: Request): void {
  if (afterId && beforeId) {
    throw InvalidInputError.of('beforeId', 'CONFLICT', 'Give `afterId` or `beforeId`, not both.');
  }
  const sibling = afterId ?? beforeId;
  if (!ids.some(({ id }) => id === sibling?.id)) return;
  const field = afterId ? 'afterId' : 'beforeId';
  throw InvalidInputError.of(field, 'CONFLICT', 'It may not be one of `ids`.');
}

/** Returns the placed nodes; null if there was no room and this call has made some. */
async function tryToPlace(inside: Context, request: Request): Promise<TreeNode[] | null> {
  await lockTree(inside.db);
  const ctx = await withLatest(inside);
  const rows = await findOwnNodes(ctx, request.ids);
  const sibling = await findSibling(ctx, request);
  const place = await placeIn(ctx, parentIdOf(request, rows, sibling));
  if (sibling !== null && sibling.parent_id !== place.parent_id) throw notSibling(request);
  const ids = rows.map(({ id }) => id);
  const neighbors = await neighborsOf(ctx, place, request, { sibling, exceptIds: ids });
  if (isInPlace(rows, place, neighbors)) return nodesByIds(ctx, ids);
  const planned = planPlacement(neighbors, ids.length);
  if (planned === null) {
    // The nodes themselves count as siblings here: without the placement, their order must not change.
    const { before, after } = await neighborsOf(ctx, place, request, { sibling, exceptIds: [] });
    const parentId = place.parent_id ?? ROOT_ID;
    await makeRoom(ctx, { parentId, before: before[0], after: after[0], count: ids.length });
    return null;
  }
  await lockNodes(ctx.db, [...ids, ...[...planned.renumbered.keys()].map(({ id }) => id)]);
  // Another request may have changed a position before the locks.
  const latest = await neighborsOf(ctx, place, request, {
    sibling: await findSibling(ctx, request),
    exceptIds: ids,
  });
  return apply(ctx, rows, place, planPlacement(latest, ids.length) ?? planned);
}

async function apply(
  ctx: Context,
  rows: readonly NodeRow[],
  place: Place,
  { sortOrders, renumbered }: Placement,
): Promise<TreeNode[]> {
  const changes = [...renumbered].map(([{ id }, sortOrder]) => [id, sortOrder] as const);
  await updatePositions(ctx.db, new Map(changes));
  for (const sibling of renumbered.keys()) {
    if (sibling.type !== 'folder') ctx.events.publish(mediaEvent('moved', sibling));
  }
  return moveTo(ctx, rows, place, (index) => sortOrders[index] as number);
}

async function findSibling(ctx: Context, request: Request): Promise<NodeRow | null> {
  const key = request.afterId ?? request.beforeId;
  if (!key) return null;
  const [row] = await listNodesByIds(ctx.db, scopeOf(ctx), [key.id]);
  if (row === undefined || row.parent_id === null || !isOfKind(row, key.kind)) {
    throw notSibling(request);
  }
  return row;
}

function notSibling({ afterId }: Request): InvalidInputError {
  const message = 'There is no such node in the folder.';
  return InvalidInputError.of(afterId ? 'afterId' : 'beforeId', 'NOT_A_SIBLING', message);
}

function parentIdOf(
  { parentId }: Request,
  rows: readonly NodeRow[],
  sibling: NodeRow | null,
): number {
  if (parentId !== undefined) return parentId ?? ROOT_ID;
  if (sibling !== null) return sibling.parent_id ?? ROOT_ID;
  const [first, ...others] = new Set(rows.map((row) => row.parent_id));
  if (first !== undefined && first !== null && others.length === 0) return first;
  const message = 'It is required for nodes that are not in one folder.';
  throw InvalidInputError.of('parentId', 'REQUIRED', message);
}

/** Returns the siblings on both sides of the place. */
async function neighborsOf(
  { db, pending }: Context,
  { parent_id }: Place,
  { afterId }: Request,
  { sibling, exceptIds }: { sibling: NodeRow | null; exceptIds: readonly number[] },
): Promise<Neighborhood> {
  const limit = NEIGHBORS_MAX + 1;
  const part = { parentId: parent_id ?? ROOT_ID, from: sibling, limit, exceptIds };
  const moved = pending.current.moved;
  const before = await listSiblings(db, moved, { ...part, backward: true });
  if (sibling === null) return { before, after: [] };
  const after = await listSiblings(db, moved, { ...part, backward: false });
  return afterId
    ? { before: [sibling, ...before].slice(0, limit), after }
    : { before, after: [sibling, ...after].slice(0, limit) };
}

/** Tells whether the nodes are between the neighbors already, each at a position of its own. */
function isInPlace(
  rows: readonly NodeRow[],
  { parent_id }: Place,
  { before, after }: Neighborhood,
): boolean {
  if (rows.some((row) => row.parent_id !== parent_id)) return false;
  const all = [...before.slice(0, 1), ...rows, ...after.slice(0, 1)];
  return all.every(
    ({ sort_order }, index) => index === 0 || (all[index - 1]?.sort_order ?? 0) < sort_order,
  );
}
