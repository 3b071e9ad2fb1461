import type { TrashedNodeRow } from '../../store/table.ts';
import { listTrashedByIds, type TrashSight } from '../../store/trash/list.ts';
import type { Context } from '../context.ts';
import { idsOfKeys, type NodeKey, rowsOfKeys } from '../tree/node-key.ts';
import { isAdmin, scopeOf } from '../viewer/access.ts';

/**
 * Returns the nodes in the trash that the viewer may see: its own; an admin sees all. Start nodes limit both to nodes
 * that were below them when they were deleted.
 */
export function trashSightOf(ctx: Context): TrashSight {
  return { owner: isAdmin(ctx) ? null : (ctx.viewer.id ?? ''), within: scopeOf(ctx).within };
}

/** Returns the nodes in the trash, in the order of the ids; undefined for one that the viewer may not see. */
export async function findTrashed(
  ctx: Context,
  ids: readonly number[],
): Promise<(TrashedNodeRow | undefined)[]> {
  const rows = await listTrashedByIds(ctx.db, ids);
  const sight = trashSightOf(ctx);
  const found = new Map(rows.filter((row) => isInSight(sight, row)).map((row) => [row.id, row]));
  return ids.map((id) => found.get(id));
}

/** Returns the nodes in the trash, in the order of the keys. Throws NotFoundError for the first that is missing. */
export async function trashedNodes(
  ctx: Context,
  keys: readonly NodeKey[],
): Promise<TrashedNodeRow[]> {
  const rows = await findTrashed(ctx, idsOfKeys(keys));
  return rowsOfKeys(keys, new Map(rows.flatMap((row) => (row ? [[row.id, row] as const] : []))));
}

function isInSight({ owner, within }: TrashSight, row: TrashedNodeRow): boolean {
  if (owner !== null && row.owner !== owner) return false;
  if (within === null || (row.parent_id === null && row.owner === within.owner)) return true;
  return within.subtrees.some(({ id }) => row.id === id || row.path.includes(`/${id}/`));
}
