import { restoreRest } from '../../../domain/trash/restore-rest.ts';
import type { Task } from '../../task.ts';

/** Restores the contents of a large folder that has been taken out of the trash. */
export const restoreSubtree: Task<'restore-subtree'> = async (ctx, { work_id }, run) => {
  const { signal, progress: onProgress } = run;
  return { nodes_restored: await restoreRest(ctx, work_id, { signal, onProgress }) };
};
