import { insertJob } from '../store/job.ts';
import type { Context } from './context.ts';

/** Something to be done after a transaction, at least once. */
type FollowUp =
  /** Bytes that no row names any more. */
  { jobClass: 'delete-blob'; arguments: { blob_keys: readonly string[] } };

/** Adds a job row; inside of `transact`, it is there if and only if the rest is. */
async function enqueue(ctx: Context, followUp: FollowUp): Promise<void> {
  const now = ctx.clock();
  const id = await insertJob(ctx.db, {
    uuid: ctx.newId(),
    job_class: followUp.jobClass,
    arguments: JSON.stringify(followUp.arguments),
    status: 'pending',
    priority: 0,
    progress: 0,
    retry_count: 0,
    max_retries: 10,
    scheduled_at: now,
    created_at: now,
    updated_at: now,
  });
  ctx.events.publish({ type: 'job', id });
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
    await enqueue(ctx, { jobClass: 'delete-blob', arguments: { blob_keys } });
  }
}
