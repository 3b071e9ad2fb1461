import type { Log, Services, Settings } from '../domain/context.ts';
import { REHASH_EVERY_MS } from '../domain/fsck/rehash.ts';
import { type JobClass, serverUnicity } from '../domain/job/class.ts';
import { enqueueJob } from '../domain/job/enqueue.ts';
import { resumeTags } from '../domain/tag/deletion.ts';
import { resumeTrashWork } from '../domain/trash/work.ts';
import { resumeDeletions } from '../domain/tree/deletion.ts';
import { resumeMoves } from '../domain/tree/path-move.ts';
import { SYSTEM } from '../domain/viewer/viewer.ts';
import { advanceJob, resetFutureJobs } from '../store/job/run.ts';

interface Recurring {
  jobClass: 'expire-upload' | 'purge-trash' | 'rehash-file' | 'sweep';
  everyMs: number;
  /** (Default: 0) */
  priority?: number;
  /** (Default: always) */
  isEnabled?: (settings: Settings) => boolean;
}

/** The recurring job classes and their intervals. */
export const SCHEDULE: readonly Recurring[] = [
  { jobClass: 'expire-upload', everyMs: 10 * 60_000 },
  { jobClass: 'purge-trash', everyMs: 60 * 60_000 },
  {
    jobClass: 'rehash-file',
    everyMs: REHASH_EVERY_MS,
    priority: -100,
    isEnabled: ({ rehashDays }) => rehashDays > 0,
  },
  { jobClass: 'sweep', everyMs: 60 * 60_000 },
];

/**
 * Enqueues the next job of each recurring class, unless it exists. It waits in the database, so that it survives a
 * restart; its `unicity` allows only one pending or running job, however many processes there are. If it would wait
 * longer than its interval, because the clock was ahead when it was enqueued, it is moved to its next time. Also
 * enqueues jobs for large changes that were begun and have lost their jobs.
 */
export async function scheduleNext(services: Services & { log: Log }): Promise<void> {
  const ctx = { ...services, viewer: SYSTEM };
  for (const { jobClass, everyMs, priority = 0, isEnabled } of SCHEDULE) {
    if (isEnabled?.(ctx.settings) === false) continue;
    const scheduledAt = new Date((Math.floor(ctx.clock() / everyMs) + 1) * everyMs);
    const unicity = serverUnicity(jobClass, 'schedule');
    const { job, isNew } = await enqueueJob(
      ctx,
      jobClass as JobClass,
      {},
      { unicity, scheduledAt, priority },
    );
    if (!isNew) await advanceJob(ctx.db, job.id, scheduledAt.getTime());
  }
  await resumeDeletions(ctx);
  await resumeMoves(ctx);
  await resumeTrashWork(ctx);
  await resumeTags(ctx);
}

/** Maximum difference between the clocks of several processes, or before and after a correction of one clock. */
const CLOCK_ERROR_MS = 10 * 60_000;

/**
 * Makes work due that was put off while the clock was ahead: retries, and jobs that seem to be still running. Call it
 * when the server starts: the machine's clock may have been set back since the last run.
 */
export async function resetFuture(services: Services & { log: Log }): Promise<void> {
  const now = services.clock();
  const latest = now + CLOCK_ERROR_MS;
  const times = { now, leasedUntilMax: latest, changedMax: latest };
  const jobs = await resetFutureJobs(services.db, times);
  if (jobs > 0) services.log.warn({ jobs }, 'a clock was ahead: jobs from the future are due now');
}
