import { purgeRest } from '../../../domain/trash/purge.ts';
import type { Task } from '../../task.ts';

/** Purges the contents of a large folder that the trash no longer shows. */
export const purgeSubtree: Task<'purge-subtree'> = async (ctx, { work_id }, run) => {
  const { signal, progress: onProgress } = run;
  return { nodes_purged: await purgeRest(ctx, work_id, { signal, onProgress }) };
};
