import { SWEEP_GRACE_MS, sweep as sweepBytes } from '../../domain/file/sweep.ts';
import { forgetJobs } from '../../domain/job/retention.ts';
import type { Task } from '../task.ts';

/**
 * Compares bytes with rows. A crash between the two leaves bytes without a row, which are deleted; a damaged disk
 * leaves rows without bytes, which are logged. Also deletes old jobs.
 */
export const sweep: Task<'sweep'> = async (ctx, _args, { signal }) => {
  const modifiedBefore = ctx.clock() - SWEEP_GRACE_MS;
  const { removed, lost } = await sweepBytes(ctx, { modifiedBefore, signal });
  return { blobs_removed: removed, jobs_forgotten: await forgetJobs(ctx), lost_files: lost };
};
