import { deleteRest } from '../../../domain/tree/deletion.ts';
import type { Task } from '../../task.ts';

/** Deletes the rows of a large folder that readers no longer see, and enqueues the deletion of its bytes. */
export const deleteSubtree: Task<'delete-subtree'> = async (ctx, { folder_uuid }, run) => {
  const { signal, progress: onProgress } = run;
  return { nodes_deleted: await deleteRest(ctx, folder_uuid, { signal, onProgress }) };
};
