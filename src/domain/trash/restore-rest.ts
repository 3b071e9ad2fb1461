import { actualPath } from '../../store/path-move.ts';
import type { TrashedNodeRow, TrashWorkRow } from '../../store/table.ts';
import { listPaths, listTakenResources } from '../../store/trash/row.ts';
import {
  countTrashedIn,
  deleteTrashWork,
  findTrashWork,
  listTrashedIn,
  listTrashedPlaces,
  partBelow,
  type TrashedPlace,
  updateTrashed,
} from '../../store/trash/work.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { type BiteOptions, inBites } from '../job/bite.ts';
import { withLatest } from '../tree/deletion.ts';
import { purgeRows } from './purge-rows.ts';
import { type Restored, takeOut } from './restoration.ts';
import { placeUnder } from './restored-place.ts';

/**
 * Restores the rest of a large folder that `restoreNodes` has restored, in small transactions. May be called again after
 * a crash. Returns the number of nodes that this call has taken care of.
 */
export async function restoreRest(
  ctx: Context,
  workId: number,
  options: BiteOptions = {},
): Promise<number> {
  const work = await findTrashWork(ctx.db, workId);
  if (work === undefined) return 0;
  const count = await countTrashedIn(ctx.db, work);
  const nodes = await inBites(options, count, (rowsMax) =>
    transact(ctx, (ctx) => restoreBite(ctx, work, rowsMax)),
  );
  ctx.log.info({ nodes, restoredBy: work.created_by }, 'restored the rest of a folder');
  return nodes;
}

/** Restores up to `rowsMax` nodes, each after the folder that contains it. Returns their number. */
async function restoreBite(outer: Context, work: TrashWorkRow, rowsMax: number): Promise<number> {
  await lockTree(outer.db);
  const ctx = await withLatest(outer);
  const rows = await listTrashedIn(ctx.db, work, { limit: rowsMax, up: false });
  if (rows.length === 0) {
    await deleteTrashWork(ctx.db, work.id);
    return 0;
  }
  const { restored, without } = await placesOf(ctx, rows);
  const free = await withFreeResources(ctx, restored);
  if (free.length > 0) await takeOut(ctx, free);
  await followParents(ctx, without);
  return rows.length;
}

/** Returns the places of the nodes whose folders exist, and the other nodes. */
async function placesOf(ctx: Context, rows: readonly TrashedNodeRow[]) {
  const parentIds = new Set(rows.map(({ parent_id }) => parent_id ?? 0));
  const { moved } = ctx.pending.current;
  const folders = new Map(
    (await listPaths(ctx.db, [...parentIds])).map(({ id, path }) => [id, actualPath(moved, path)]),
  );
  const restored: Restored[] = [];
  const without: TrashedNodeRow[] = [];
  for (const trashed of rows) {
    const id = trashed.parent_id ?? 0;
    const path = folders.get(id);
    if (path === undefined) {
      without.push(trashed);
      continue;
    }
    const place = placeUnder({ id, path }, trashed);
    restored.push({ trashed, place });
    if (trashed.type === 'folder') folders.set(trashed.id, place.path);
  }
  return { restored, without };
}

/**
 * Returns the nodes without those whose resource another media item has got since the restore began. These become
 * entries of the trash of their own.
 */
async function withFreeResources(ctx: Context, restored: readonly Restored[]): Promise<Restored[]> {
  const names = restored.map(({ trashed }) => trashed.resource);
  const taken = new Set(await listTakenResources(ctx.db, names));
  for (const { trashed } of restored) {
    if (!taken.has(trashed.resource)) continue;
    const top = { deletion: ctx.newId(), place: '', is_top: 1, is_owner_top: 1 };
    await updateTrashed(ctx.db, trashed.id, top);
    const { id, resource } = trashed;
    ctx.log.warn({ node: id, resource }, 'a node stays in the trash: its resource is taken');
  }
  return restored.filter(({ trashed }) => !taken.has(trashed.resource));
}

/**
 * Lets nodes share the fate of the folder that contained them, which has been deleted since the restore began: they are
 * in the trash with it, or deleted for ever.
 */
async function followParents(ctx: Context, rows: readonly TrashedNodeRow[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = new Set(rows.map(({ parent_id }) => parent_id ?? 0));
  const places = await listTrashedPlaces(ctx.db, [...ids]);
  const parents = new Map<number, TrashedPlace>(places.map((place) => [place.id, place]));
  const lost: TrashedNodeRow[] = [];
  for (const row of rows) {
    const parent = parents.get(row.parent_id ?? 0);
    if (parent === undefined) {
      lost.push(row);
      continue;
    }
    const { deletion, below: place } = partBelow(parent);
    const { deleted_at, deleted_by } = parent;
    await updateTrashed(ctx.db, row.id, { deletion, place, deleted_at, deleted_by });
    parents.set(row.id, { ...parent, id: row.id, place });
  }
  await purgeRows(ctx, lost);
}
