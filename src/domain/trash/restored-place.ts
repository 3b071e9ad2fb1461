import { pathBelow } from '../../store/path.ts';
import type { TrashedNodeRow } from '../../store/table.ts';
import { listFoldersByIds, ROOT_ID } from '../../store/tree/folder.ts';
import { nextSortOrder } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { DomainError, ForbiddenError } from '../error.ts';
import { levelOf } from '../tree/node.ts';
import { folderToFill, type Place, UNFILED } from '../tree/place.ts';
import { existing } from '../viewer/access.ts';

/** Returns the place that a node has in a folder, at the position that it had. */
export function placeUnder(folder: { id: number; path: string }, trashed: TrashedNodeRow): Place {
  const { sort_order } = JSON.parse(trashed.row) as Place;
  const path = pathBelow(folder);
  return { parent_id: folder.id, level: levelOf({ path }), path, sort_order };
}

/** Returns the place that a node gets again. Throws ForbiddenError if it is out of the viewer's reach. */
export async function placeOf(ctx: Context, node: TrashedNodeRow): Promise<Place> {
  const { parent_id, path } = node;
  const { sort_order } = JSON.parse(node.row) as Place;
  if (parent_id === null) return { ...UNFILED, sort_order };
  const folderId = await nearestFolder(ctx, path);
  const folder = await folderToFill(ctx, folderId).catch((error) => {
    if (!(error instanceof DomainError)) throw error;
    throw new ForbiddenError('The node would be restored outside of your start nodes.');
  });
  const place = placeUnder(folder, node);
  if (folderId === parent_id) return place;
  return { ...place, sort_order: await nextSortOrder(ctx.db, folderId) };
}

/** Returns the id of the nearest folder of a path that exists. */
export async function nearestFolder(ctx: Context, path: string): Promise<number> {
  const above = path.split('/').slice(2, -1).map(Number).reverse();
  const rows = await listFoldersByIds(ctx.db, existing(ctx), above, ['id']);
  const living = new Set(rows.map(({ id }) => id));
  return above.find((id) => living.has(id)) ?? ROOT_ID;
}
