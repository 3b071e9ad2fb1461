import type { Log, Services } from '../domain/context.ts';
import { type JobClass, serverUnicity } from '../domain/job/class.ts';
import { enqueueJob } from '../domain/job/enqueue.ts';
import { resumeTags } from '../domain/tag/deletion.ts';
import { resumeDeletions } from '../domain/tree/deletion.ts';
import { SYSTEM } from '../domain/viewer/viewer.ts';
import { advanceJob, resetFutureJobs } from '../store/job/run.ts';

/** The recurring job classes and their intervals. */
export const SCHEDULE: readonly { jobClass: 'expire-upload' | 'sweep'; everyMs: number }[] = [
  { jobClass: 'expire-upload', everyMs: 10 * 60_000 },
  { jobClass: 'sweep', everyMs: 60 * 60_000 },
];

/**
 * Enqueues the next job of each recurring class, unless it exists. It waits in the database, so that it survives a
 * restart; its `unicity` allows only one pending or running job, however many processes there are. If it waits for
 * longer than its interval, because a clock was ahead when it was enqueued, it is moved to its next time. Also enqueues
 * the jobs of large changes that were begun and have lost theirs.
 */
export async function scheduleNext(services: Services & { log: Log }): Promise<void> {
  const ctx = { ...services, viewer: SYSTEM };
  for (const { jobClass, everyMs } of SCHEDULE) {
    const scheduledAt = new Date((Math.floor(ctx.clock() / everyMs) + 1) * everyMs);
    const unicity = serverUnicity(jobClass, 'schedule');
    const { job, isNew } = await enqueueJob(
      ctx,
      jobClass as JobClass,
      {},
      { unicity, scheduledAt },
    );
    if (!isNew) await advanceJob(ctx.db, job.id, scheduledAt.getTime());
  }
  await resumeDeletions(ctx);
  await resumeTags(ctx);
}

/** The clocks of several processes, and of one process after a correction, differ by less. */
const CLOCK_ERROR_MS = 10 * 60_000;

/**
 * Makes the work due that a clock in the future has put off: retries, and jobs that seem to run still. To be called at
 * the start: the machine's clock may have been set back since the last run.
 */
export async function resetFuture(services: Services & { log: Log }): Promise<void> {
  const now = services.clock();
  const latest = now + CLOCK_ERROR_MS;
  const times = { now, leasedUntilMax: latest, changedMax: latest };
  const jobs = await resetFutureJobs(services.db, times);
  if (jobs > 0) services.log.warn({ jobs }, 'a clock was ahead: jobs from the future are due now');
}
