import type { TrashedNodeRow, TrashWorkRow } from '../../store/table.ts';
import { listOldestTops, type TrashSight } from '../../store/trash/list.ts';
import {
  countTrashedIn,
  deleteTrashWork,
  findDeletionInto,
  findTrashWork,
  listTrashedIn,
  partBelow,
} from '../../store/trash/work.ts';
import { makePermanent } from '../../store/tree/deletion.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError } from '../error.ts';
import { type BiteOptions, inBites } from '../job/bite.ts';
import type { JobArguments } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { asShown, type Job, jobTarget } from '../job/job.ts';
import { authorize } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { purgeRows } from './purge-rows.ts';
import { recordTrash } from './record.ts';
import { trashSightOf } from './sight.ts';
import { purgeLater } from './work.ts';

/**
 * Deletes a node in the trash for ever, with everything that was deleted together with it and lies below it: up to
 * `rowsMax` nodes at once, otherwise by a job. The trash no longer shows any of it. Returns the number of nodes below it
 * that this call has deleted. Call it with the tree locked. Throws ConflictError BEING_DELETED for a part of a deletion
 * that is in progress.
 */
export async function purgeNode(
  ctx: Context,
  node: TrashedNodeRow,
  rowsMax: number,
): Promise<number> {
  const deletion = await findDeletionInto(ctx.db, node.deletion);
  if (deletion !== undefined && deletion.node_id !== node.id) {
    const message = 'The node is still on its way into the trash. Try again later.';
    throw new ConflictError('BEING_DELETED', message);
  }
  if (deletion !== undefined) await makePermanent(ctx.db, node.id);
  const part = partBelow(node);
  const below =
    node.type === 'folder'
      ? await listTrashedIn(ctx.db, part, { limit: rowsMax + 1, up: true })
      : [];
  const isSmall = below.length <= rowsMax;
  const rows = isSmall ? below : [];
  await purgeRows(ctx, [...rows, node]);
  if (!isSmall) await purgeLater(ctx, part);
  return rows.length;
}

/**
 * Purges the rest of a part of the trash in small transactions. May be called again after a crash. Returns the number of
 * nodes that this call has deleted.
 */
export async function purgeRest(
  ctx: Context,
  workId: number,
  options: BiteOptions = {},
): Promise<number> {
  const work = await findTrashWork(ctx.db, workId);
  if (work === undefined) return 0;
  const count = await countTrashedIn(ctx.db, work);
  const nodes = await inBites(options, count, (rowsMax) =>
    transact(ctx, (ctx) => purgeBite(ctx, work, rowsMax)),
  );
  ctx.log.info({ nodes, purgedBy: work.created_by }, 'purged the rest of a folder');
  return nodes;
}

async function purgeBite(ctx: Context, work: TrashWorkRow, rowsMax: number): Promise<number> {
  await lockTree(ctx.db);
  const rows = await listTrashedIn(ctx.db, work, { limit: rowsMax, up: true });
  if (rows.length === 0) await deleteTrashWork(ctx.db, work.id);
  else await purgeRows(ctx, rows);
  return rows.length;
}

/**
 * Starts a job that purges all nodes that the viewer may see in the trash and that were deleted before a time. (Default:
 * now) Returns the job.
 */
export async function emptyTrash(
  ctx: Context,
  { deletedBefore }: { deletedBefore?: Date | null | undefined } = {},
): Promise<Job> {
  authorize(ctx, 'trash.purge');
  const { owner, within } = trashSightOf(ctx);
  // Includes the nodes that were deleted in this millisecond.
  const deleted_before = deletedBefore?.getTime() ?? ctx.clock() + 1;
  const args = {
    deleted_before,
    ...(owner !== null && { owner }),
    ...(within !== null && {
      start_node_ids: within.subtrees.map(({ id }) => id),
      unfiled_of: within.owner,
    }),
  };
  return transact(ctx, async (ctx) => {
    const { viewer } = ctx;
    const startedBy = viewer.kind === 'anonymous' ? {} : { startedBy: viewer };
    const { job } = await enqueueJob(ctx, 'purge-trash', args, startedBy);
    await recordAudit(ctx, { action: 'start', target: jobTarget(job.id, 'purge-trash') });
    return asShown(ctx, job);
  });
}

/**
 * Purges the nodes that have been in the trash for `TRIVIUM_TRASH_DAYS`, or those that the arguments select, in small
 * transactions. Returns the number of nodes that this call has deleted.
 */
export async function purgeTrash(
  ctx: Context,
  args: JobArguments<'purge-trash'>,
  options: BiteOptions = {},
): Promise<number> {
  const { owner = null, start_node_ids: startNodes, unfiled_of = '' } = args;
  const subtrees = startNodes?.map((id) => ({ id, below: '' }));
  const within = subtrees ? { owner: unfiled_of, subtrees } : null;
  const deletedBefore = args.deleted_before ?? ctx.clock() - ctx.settings.trashDays * DAY_MS;
  const nodes = await inBites(options, Number.POSITIVE_INFINITY, (rowsMax) =>
    transact(ctx, (ctx) => purgeOldest(ctx, { owner, within }, { deletedBefore, limit: rowsMax })),
  );
  if (nodes > 0) ctx.log.info({ nodes }, 'purged nodes from the trash');
  return nodes;
}

const DAY_MS = 24 * 60 * 60_000;

async function purgeOldest(
  ctx: Context,
  sight: TrashSight,
  bounds: { deletedBefore: number; limit: number },
): Promise<number> {
  await lockTree(ctx.db);
  let left = bounds.limit;
  const purged: TrashedNodeRow[] = [];
  for (const top of await listOldestTops(ctx.db, sight, bounds)) {
    if (left <= 0) break;
    left -= 1 + (await purgeNode(ctx, top, left));
    purged.push(top);
  }
  await recordTrash(ctx, 'purge', purged);
  return bounds.limit - left;
}
