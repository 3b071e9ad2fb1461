import { expireUploads } from '../../../domain/upload/expire.ts';
import type { Task } from '../../task.ts';

/** Ends uploads that were not completed in time, and deletes their bytes. */
export const expireUpload: Task<'expire-upload'> = async (ctx) => ({
  uploads_expired: await expireUploads(ctx),
});
