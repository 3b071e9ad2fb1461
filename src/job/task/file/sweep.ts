import { SWEEP_GRACE_MS, sweep as sweepBytes } from '../../../domain/file/sweep.ts';
import { forgetJobs } from '../../../domain/job/retention.ts';
import { expireUploads } from '../../../domain/upload/expire.ts';
import { forgetAudit } from '../../../domain/viewer/audit-log.ts';
import { mergeUsages } from '../../../domain/viewer/quota.ts';
import { forgetSessions } from '../../../domain/viewer/session.ts';
import type { Task } from '../../task.ts';

/**
 * Compares bytes with rows. A crash between the two leaves bytes without a row, which are deleted; a damaged disk
 * leaves rows without bytes, which are logged. Ends expired uploads before, and deletes old jobs, expired
 * sessions, forgotten guesses, and old entries of the audit log.
 */
export const sweep: Task<'sweep'> = async (ctx, _args, { signal }) => {
  const modifiedBefore = ctx.clock() - SWEEP_GRACE_MS;
  const expired = await expireUploads(ctx);
  const { removed, lost } = await sweepBytes(ctx, { modifiedBefore, signal });
  const forgotten = await forgetJobs(ctx);
  await mergeUsages(ctx);
  await forgetSessions(ctx);
  await forgetAudit(ctx);
  return { blobs_removed: expired + removed, jobs_forgotten: forgotten, lost_files: lost };
};
