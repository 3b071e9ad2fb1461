import { purgeTrash } from '../../../domain/trash/purge.ts';
import type { Task } from '../../task.ts';

/** Purges what has been in the trash for its time, or what a viewer has chosen to purge. */
export const purgeOldTrash: Task<'purge-trash'> = async (ctx, args, { signal }) => {
  return { nodes_purged: await purgeTrash(ctx, args, { signal }) };
};
