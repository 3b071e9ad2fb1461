import { rewriteRest } from '../../../domain/tree/path-move.ts';
import type { Task } from '../../task.ts';

/** Rewrites the paths of the nodes below large folders, which readers already see in their new place. */
export const moveSubtree: Task<'move-subtree'> = async (ctx, _args, run) => {
  const { signal, progress: onProgress } = run;
  return { nodes_moved: await rewriteRest(ctx, { signal, onProgress }) };
};
