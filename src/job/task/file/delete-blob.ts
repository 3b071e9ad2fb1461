import { deleteUnnamedBlobs } from '../../../domain/file/delete-bytes.ts';
import type { Task } from '../../task.ts';

/**
 * Deletes the bytes of deleted rows. This does not happen in the transaction that deletes the rows, because a disk
 * cannot roll back. Bytes that a row still refers to are kept.
 */
export const deleteBlob: Task<'delete-blob'> = async (ctx, { blob_keys }) => {
  await deleteUnnamedBlobs(ctx, blob_keys);
};
