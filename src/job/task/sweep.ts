import { findLostFiles, sweep as removeUnnamed, SWEEP_GRACE_MS } from '../../domain/file/sweep.ts';
import { forgetJobs } from '../../domain/job/retention.ts';
import type { Task } from '../task.ts';

/**
 * Holds bytes and rows against each other: a crash between the two leaves bytes without a row, which go, and a
 * damaged disk rows without bytes, which only somebody with a backup can mend, so that they are reported. Old jobs go
 * too.
 */
export const sweep: Task<'sweep'> = async (ctx, _args, { signal }) => {
  const modifiedBefore = ctx.clock() - SWEEP_GRACE_MS;
  const blobs_removed = await removeUnnamed(ctx, { modifiedBefore, signal });
  const lost = await findLostFiles(ctx, signal);
  if (lost.length > 0) ctx.log.error({ files: lost.slice(0, 100) }, 'the bytes of files are lost');
  const jobs_forgotten = await forgetJobs(ctx);
  return { blobs_removed, jobs_forgotten, lost_files: lost.length };
};
