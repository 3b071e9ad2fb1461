import { z } from 'zod';
import { pathBelow } from '../../store/path.ts';
import type { NodeRow, TrashedNodeRow } from '../../store/table.ts';
import { listNodesByIds } from '../../store/tree/node.ts';
import { type DeletedNode, lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { ForbiddenError } from '../error.ts';
import { parseInput } from '../input.ts';
import { BITE_ROWS } from '../job/bite.ts';
import { forOne } from '../one-of-many.ts';
import { checkEmpty, deleteSubtree, logDeletion, withLatest } from '../tree/deletion.ts';
import { newDeletion } from '../tree/discard.ts';
import { idsOfKeys, type NodeKey, rowsOfKeys, someNodes } from '../tree/node-key.ts';
import { recordDeletion, removeNodes } from '../tree/removal.ts';
import { authorize, isAdmin, isOwner, refuseStartNode, scopeOf } from '../viewer/access.ts';
import { purgeNode } from './purge.ts';
import { recordTrash } from './record.ts';
import { outermost } from './restore.ts';
import { findTrashed } from './sight.ts';

const deleteInput = z.object({
  ids: someNodes,
  recursive: z.boolean().nullish(),
  permanently: z.boolean().nullish(),
});

/**
 * Moves media and folders into the trash; with `recursive` also everything below the folders. `permanently` deletes them
 * for ever, also those that are in the trash already. All or nothing. Requires the creator of each node or an admin.
 * Throws NotFoundError, ForbiddenError and ConflictError (FOLDER_NOT_EMPTY, BEING_DELETED) for the first node that cannot
 * be deleted.
 */
export async function deleteNodes(ctx: Context, input: z.input<typeof deleteInput>): Promise<void> {
  authorize(ctx, 'media.delete');
  const { ids, recursive, permanently } = parseInput(deleteInput, input);
  const options = { recursive: recursive ?? false, permanently: permanently ?? false };
  const deleted = await transact(ctx, async (inside) => {
    await lockTree(inside.db);
    const ctx = await withLatest(inside);
    const found = await findOwn(ctx, ids, options);
    await purge(ctx, found.trashed);
    return deleteLive(ctx, found.live, options);
  });
  for (const { folder, removed } of deleted) logDeletion(ctx, folder, removed);
  const isPending = deleted.some(({ removed }) => removed === null);
  if (isPending && !ctx.db.isTransaction) await ctx.pending.announce();
}

interface Options {
  recursive: boolean;
  permanently: boolean;
}

async function findOwn(ctx: Context, keys: readonly NodeKey[], { permanently }: Options) {
  const ids = idsOfKeys(keys);
  const rows = await listNodesByIds(ctx.db, scopeOf(ctx), ids);
  const live = new Map(rows.map((row) => [row.id, row]));
  const others = ids.filter((id) => !live.has(id));
  const known = permanently ? await findTrashed(ctx, others) : [];
  const trashed = new Map(known.flatMap((row) => (row ? [[row.id, row] as const] : [])));
  const all = new Map<number, NodeRow | TrashedNodeRow>([...live, ...trashed]);
  rowsOfKeys(keys, all, ({ id, owner }) => {
    if (!isAdmin(ctx) && !isOwner(ctx, owner)) {
      throw new ForbiddenError('You do not have permission to delete this node.');
    }
    if (live.has(id)) refuseStartNode(ctx, id);
  });
  const own = ids.flatMap((id) => live.get(id) ?? []);
  return { live: own, trashed: ids.flatMap((id) => trashed.get(id) ?? []) };
}

interface DeletedFolder {
  folder: NodeRow;
  /** Null: a job deletes it. */
  removed: DeletedNode[] | null;
}

async function deleteLive(
  ctx: Context,
  rows: readonly NodeRow[],
  { recursive, permanently }: Options,
): Promise<DeletedFolder[]> {
  const tops = withoutContents(rows);
  const [folders, medias] = [tops.filter(isFolder), tops.filter((row) => !isFolder(row))];
  for (const { id } of folders) await forOne({ id }, () => checkEmpty(ctx, id, recursive));
  const deletions = medias.map(({ id }) => newDeletion(ctx, id, permanently));
  const [deletion] = deletions;
  if (deletion !== undefined) {
    await recordDeletion(ctx, medias, deletion);
    await removeNodes(ctx, medias, deletions);
  }
  const deleted: DeletedFolder[] = [];
  let rowsMax = BITE_ROWS;
  for (const folder of folders) {
    const deletion = newDeletion(ctx, folder.id, permanently);
    const removed = await deleteSubtree(ctx, folder, deletion, Math.max(rowsMax, 1));
    rowsMax -= removed?.length ?? 0;
    deleted.push({ folder, removed });
  }
  return deleted;
}

function isFolder({ type }: NodeRow): boolean {
  return type === 'folder';
}

/** Returns the nodes without those below another one of them, which are deleted with it. */
function withoutContents(rows: readonly NodeRow[]): NodeRow[] {
  const folders = rows.filter(isFolder).map(pathBelow);
  return rows.filter(({ path }) => !folders.some((below) => path.startsWith(below)));
}

async function purge(ctx: Context, rows: readonly TrashedNodeRow[]): Promise<void> {
  let rowsMax = BITE_ROWS;
  const tops = outermost(rows);
  await recordTrash(ctx, 'purge', tops);
  for (const row of tops) {
    rowsMax -= await forOne({ id: row.id }, () => purgeNode(ctx, row, Math.max(rowsMax, 1)));
  }
}
