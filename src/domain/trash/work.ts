import { insertTrashWork, listTrashWork, type TrashPart } from '../../store/trash/work.ts';
import type { Context } from '../context.ts';
import { enqueueRest } from '../job/enqueue.ts';

/** Lets a job restore a part of the trash. */
export async function restoreLater(ctx: Context, part: TrashPart): Promise<void> {
  const created = { created_by: ctx.viewer.id, created_at: ctx.clock() };
  const work_id = await insertTrashWork(ctx.db, { kind: 'restore', ...part, ...created });
  await enqueueRest(ctx, 'restore-subtree', { work_id }, work_id);
}

/** Lets a job purge a part of the trash. */
export async function purgeLater(ctx: Context, part: TrashPart): Promise<void> {
  const created = { created_by: ctx.viewer.id, created_at: ctx.clock() };
  const work_id = await insertTrashWork(ctx.db, { kind: 'purge', ...part, ...created });
  await enqueueRest(ctx, 'purge-subtree', { work_id }, work_id);
}

/** Enqueues the jobs of work that has none: an admin may have cancelled or deleted a job. */
export async function resumeTrashWork(ctx: Context): Promise<void> {
  for (const { id: work_id, kind } of await listTrashWork(ctx.db)) {
    const jobClass = kind === 'restore' ? 'restore-subtree' : 'purge-subtree';
    await enqueueRest(ctx, jobClass, { work_id }, work_id);
  }
}
