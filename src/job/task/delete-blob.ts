import { deleteUnnamedBlobs } from '../../domain/file/sweep.ts';
import type { Task } from '../task.ts';

/**
 * Removes the bytes of what was deleted: not in the transaction that deletes the rows, because a disk does not
 * roll back. Bytes that a row names after all stay.
 */
export const deleteBlob: Task<'delete-blob'> = async (ctx, { blob_keys }) => {
  await deleteUnnamedBlobs(ctx, blob_keys);
};
