import { z } from 'zod';
import { endOfPath } from '../../store/path.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { DeletionRow, NodeRow, TrashedNodeRow } from '../../store/table.ts';
import { deleteTrashed, findTakenBelow, listTakenResources } from '../../store/trash/row.ts';
import { findDeletionInto, listTrashedIn, partBelow } from '../../store/trash/work.ts';
import { deleteDeletion } from '../../store/tree/deletion.ts';
import { findFolderById, ROOT_ID } from '../../store/tree/folder.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError } from '../error.ts';
import { parseInput } from '../input.ts';
import { BITE_ROWS } from '../job/bite.ts';
import { forOne } from '../one-of-many.ts';
import { withLatest } from '../tree/deletion.ts';
import { idsOfKeys, someNodes } from '../tree/node-key.ts';
import { nodesByIds, type TreeNode } from '../tree/node-list.ts';
import type { Place } from '../tree/place.ts';
import { authorize } from '../viewer/access.ts';
import { recordTrash } from './record.ts';
import { type Restored, takeOut } from './restoration.ts';
import { nearestFolder, placeOf, placeUnder } from './restored-place.ts';
import { trashedNodes } from './sight.ts';
import { restoreLater } from './work.ts';

const restoreInput = z.object({ ids: someNodes });

/**
 * Takes nodes out of the trash, with everything that was deleted together with them and lies below them. All or nothing.
 * Each gets its place again; if the folder that contained it is gone or in the trash, it gets to the end of the nearest
 * folder above that exists, or of the top level. The contents of a large folder follow in a job. Needs the creator of
 * each node or an admin. Throws NotFoundError, ForbiddenError, and ConflictError: ALREADY_EXISTS for a name that another
 * media item has by now, BEING_DELETED for a part of a deletion that is in progress.
 */
export async function restoreNodes(
  ctx: Context,
  input: z.input<typeof restoreInput>,
): Promise<TreeNode[]> {
  authorize(ctx, 'trash.restore');
  const { ids: keys } = parseInput(restoreInput, input);
  const ids = idsOfKeys(keys);
  // Not in the transaction: the nodes may be many, and later checks find what changes meanwhile.
  for (const node of await trashedNodes(ctx, keys)) {
    await forOne({ id: node.id }, () => checkBelow(ctx, node));
  }
  let hasEndedDeletion = false;
  const nodes = await transact(ctx, async (inside) => {
    await lockTree(inside.db);
    const ctx = await withLatest(inside);
    let rowsMax = BITE_ROWS;
    const tops = outermost(await trashedNodes(ctx, keys)).sort(foldersFirst);
    for (const node of tops) {
      const deletion = await findDeletionInto(ctx.db, node.deletion);
      rowsMax -= await forOne({ id: node.id }, () =>
        deletion === undefined
          ? restoreNode(ctx, node, Math.max(rowsMax, 1))
          : undoDeletion(ctx, node, deletion),
      );
      hasEndedDeletion ||= deletion !== undefined;
    }
    return nodesByIds(await withLatest(ctx), ids);
  });
  if (!ctx.db.isTransaction) {
    // The deletion of a restored folder may have ended in another process since this one last looked.
    if (hasEndedDeletion) await ctx.pending.announce();
    else if (ctx.pending.current.subtrees.length > 0) await ctx.pending.reload();
  }
  ctx.log.info({ nodes: ids, restoredBy: ctx.viewer.id }, 'restored nodes from the trash');
  return nodes;
}

async function checkBelow(ctx: Context, node: TrashedNodeRow): Promise<void> {
  if (node.type !== 'folder') return;
  const { deletion, below } = partBelow(node);
  const taken = await findTakenBelow(ctx.db, { deletion, below, belowEnd: endOfPath(below) });
  if (taken !== undefined) throw resourceTaken(taken);
}

/** Returns the nodes without those below another one of them, with which they come back. */
export function outermost(nodes: readonly TrashedNodeRow[]): TrashedNodeRow[] {
  return nodes.filter(({ deletion, place }) => {
    const isAbove = (other: TrashedNodeRow) =>
      other.deletion === deletion && place.startsWith(partBelow(other).below);
    return !nodes.some(isAbove);
  });
}

/** Sorts a folder before what was in it: nobody can delete from a folder that is in the trash already. */
function foldersFirst(a: TrashedNodeRow, b: TrashedNodeRow): number {
  return b.deleted_at - a.deleted_at || a.path.split('/').length - b.path.split('/').length;
}

/** Restores a node and up to `rowsMax` nodes below it; a job restores them if they are more. Returns their number. */
async function restoreNode(ctx: Context, node: TrashedNodeRow, rowsMax: number): Promise<number> {
  const top: Restored = { trashed: node, place: await placeOf(ctx, node) };
  const part = partBelow(node);
  const below = await listTrashedIn(ctx.db, part, { limit: rowsMax + 1, up: false });
  const isSmall = below.length <= rowsMax;
  const rows = isSmall ? below : [];
  await checkResources(ctx, [node, ...rows]);
  await recordTrash(ctx, 'restore', [node, ...rows]);
  await takeOut(ctx, [top, ...placesBelow(top, rows)]);
  if (!isSmall) await restoreLater(ctx, part);
  return rows.length;
}

function placesBelow(top: Restored, rows: readonly TrashedNodeRow[]): Restored[] {
  const places = new Map([[top.trashed.id, top.place]]);
  return rows.map((trashed) => {
    const parentId = trashed.parent_id ?? ROOT_ID;
    const parent = places.get(parentId) as Place;
    const place = placeUnder({ id: parentId, path: parent.path }, trashed);
    places.set(trashed.id, place);
    return { trashed, place };
  });
}

async function checkResources(ctx: Context, rows: readonly TrashedNodeRow[]): Promise<void> {
  const names = rows.map(({ resource }) => resource);
  const [name] = await listTakenResources(ctx.db, names);
  const taken = rows.find(({ resource }) => resource === name);
  if (taken !== undefined) throw resourceTaken(taken);
}

function resourceTaken({ resource }: Pick<TrashedNodeRow, 'resource'>): ConflictError {
  const message = `The node cannot be restored: another media item has the resource "${resource}" by now.`;
  return new ConflictError('ALREADY_EXISTS', message);
}

/**
 * Ends a deletion in progress, given by its top node: the nodes that it has not moved exist again, and a job restores the
 * others. Returns the number of nodes that it has restored itself below the top node.
 */
async function undoDeletion(
  ctx: Context,
  node: TrashedNodeRow,
  { node_id }: DeletionRow,
): Promise<number> {
  const folder = await findFolderById(ctx.db, EVERYTHING, node_id);
  const isTop = node.id === node_id && folder !== undefined;
  const isInPlace = isTop && (await isAlive(ctx, folder));
  if (!isInPlace) {
    const message = 'The node is still on its way into the trash. Try again later.';
    throw new ConflictError('BEING_DELETED', message);
  }
  await recordTrash(ctx, 'restore', [node]);
  await deleteDeletion(ctx.db, node_id);
  await deleteTrashed(ctx.db, [node_id]);
  await restoreLater(ctx, partBelow(node));
  return 0;
}

/** Tells whether the folder that contains a folder exists. */
async function isAlive(ctx: Context, { path, parent_id }: NodeRow): Promise<boolean> {
  return (await nearestFolder(ctx, path)) === parent_id;
}
