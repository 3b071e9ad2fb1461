import { expireUploads } from '../../domain/file/sweep.ts';
import type { Task } from '../task.ts';

/** Ends uploads that nobody has completed in time, so that their bytes do not stay for ever. */
export const expireUpload: Task<'expire-upload'> = async (ctx) => ({
  uploads_expired: await expireUploads(ctx),
});
