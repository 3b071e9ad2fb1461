import { insertJob } from '../store/job.ts';
import type { Context } from './context.ts';
import { JOB_CLASSES, type JobArguments, type JobClass } from './job-class.ts';

/** What a job may have besides its class and arguments. */
export interface EnqueueOptions {
  /** The higher, the sooner. (Default: 0) */
  priority?: number;
  /** (Default: now) */
  scheduledAt?: Date;
  /** The media it is about: `Media.jobs` shows it. */
  mediaId?: number;
}

/**
 * Has something done after the transaction, at least once: inside of `transact`, the job is there if and
 * only if the rest is. Answers its id.
 */
export async function enqueueJob<C extends JobClass>(
  ctx: Context,
  jobClass: C,
  args: JobArguments<C>,
  { priority = 0, scheduledAt, mediaId }: EnqueueOptions = {},
): Promise<number> {
  const now = ctx.clock();
  const id = await insertJob(ctx.db, {
    uuid: ctx.newId(),
    job_class: jobClass,
    arguments: JSON.stringify(args),
    media_id: mediaId ?? null,
    status: 'pending',
    priority,
    progress: 0,
    retry_count: 0,
    max_retries: JOB_CLASSES[jobClass].maxRetries,
    scheduled_at: scheduledAt?.getTime() ?? now,
    created_at: now,
    updated_at: now,
  });
  ctx.events.publish({ type: 'job', id });
  return id;
}

/** How many blobs one job deletes. */
const BLOBS_PER_JOB = 500;

/** Has the bytes deleted that no row names any more. */
export async function enqueueBlobDeletion(
  ctx: Context,
  blobKeys: readonly string[],
): Promise<void> {
  for (let index = 0; index < blobKeys.length; index += BLOBS_PER_JOB) {
    const blob_keys = blobKeys.slice(index, index + BLOBS_PER_JOB);
    await enqueueJob(ctx, 'delete-blob', { blob_keys });
  }
}
