import type { Log, Services } from '../domain/context.ts';
import { type JobClass, serverUnicity } from '../domain/job/class.ts';
import { enqueueJob } from '../domain/job/enqueue.ts';
import { resumeTags } from '../domain/tag/deletion.ts';
import { resumeDeletions } from '../domain/tree/deletion.ts';
import { SYSTEM } from '../domain/viewer/viewer.ts';

/** The recurring job classes and their intervals. */
export const SCHEDULE: readonly { jobClass: 'expire-upload' | 'sweep'; everyMs: number }[] = [
  { jobClass: 'expire-upload', everyMs: 10 * 60_000 },
  { jobClass: 'sweep', everyMs: 60 * 60_000 },
];

/**
 * Enqueues the next job of each recurring class, unless it exists. It waits in the database, so that it
 * survives a restart; its `unicity` allows only one pending or running job, however many processes there are. Also
 * enqueues the jobs of large changes that were begun and have lost theirs.
 */
export async function scheduleNext(services: Services & { log: Log }): Promise<void> {
  const ctx = { ...services, viewer: SYSTEM };
  for (const { jobClass, everyMs } of SCHEDULE) {
    const scheduledAt = new Date((Math.floor(ctx.clock() / everyMs) + 1) * everyMs);
    const unicity = serverUnicity(jobClass, 'schedule');
    await enqueueJob(ctx, jobClass as JobClass, {}, { unicity, scheduledAt });
  }
  await resumeDeletions(ctx);
  await resumeTags(ctx);
}
