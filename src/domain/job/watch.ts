import type { Context } from '../context.ts';
import type { JobEvent } from '../event/event.ts';
import { authorize } from '../viewer/access.ts';
import type { Job } from './job.ts';
import { findMatchingJob, type JobFilter, toStored } from './list.ts';

/**
 * Yields each new or changed job that matches the filter when it is read; `id` restricts it to one job. Several changes
 * between two reads are yielded once. Throws like `authorize`, and InvalidInputError for the filter.
 */
export function watchJobs(
  ctx: Context,
  { id, filter }: { id: number | undefined; filter: JobFilter },
  signal: AbortSignal,
): AsyncIterable<Job> {
  authorize(ctx, 'job.read');
  toStored(filter);
  const events = ctx.events.subscribe(
    (event): event is JobEvent => event.type === 'job' && (id === undefined || event.id === id),
    signal,
  );
  return matchingJobs(ctx, filter, events);
}

async function* matchingJobs(
  ctx: Context,
  filter: JobFilter,
  events: AsyncIterable<JobEvent>,
): AsyncGenerator<Job> {
  const ahead = createProgressMemory();
  for await (const { id, progress } of events) {
    const job = await findMatchingJob(ctx, id, filter);
    if (job?.status === 'running') yield ahead.toLatest(job, progress);
    else {
      ahead.forget(id);
      if (job !== null) yield job;
    }
  }
}

/** Remembers the reported progress of running jobs, which is ahead of the stored one, so that it never decreases. */
function createProgressMemory() {
  const told = new Map<number, Pick<Job, 'startedAt' | 'progress'>>();
  return {
    toLatest(job: Job, reported: JobEvent['progress']): Job {
      const before = told.get(job.id);
      const isSameRun = before?.startedAt?.getTime() === job.startedAt?.getTime();
      const known = isSameRun ? (before?.progress ?? 0) : 0;
      const isOfThisRun = reported?.runStartedAt === job.startedAt?.getTime();
      const progress = isOfThisRun ? (reported?.fraction ?? 0) : 0;
      const latest = { ...job, progress: Math.max(job.progress, progress, known) };
      told.set(job.id, { startedAt: job.startedAt, progress: latest.progress });
      return latest;
    },
    forget: (id: number) => void told.delete(id),
  };
}
