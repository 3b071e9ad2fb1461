import { findOpenJobByUnicity, insertJob, insertJobOnce } from '../../store/job/job.ts';
import type { NewJobRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { viewerSubject } from '../viewer/subject.ts';
import { SYSTEM } from '../viewer/viewer.ts';
import { JOB_CLASSES, type JobArguments, type JobClass, serverUnicity } from './class.ts';
import { type Job, toJob } from './job.ts';

/** Optional properties of a new job. */
export interface EnqueueOptions {
  /** Jobs with a higher priority run first. (Default: 0) */
  priority?: number;
  /** (Default: now) */
  scheduledAt?: Date;
  /** The media item that it works on: `Media.jobs` lists the job. */
  mediaId?: number;
  /** At most one unfinished job has the same `unicity`: if there is one, it is used instead of a new one. */
  unicity?: string;
  /** The user who started it. (Default: the server itself, even in a user's request) */
  startedBy?: { id: string; role: string };
}

/**
 * Creates a job, which runs at least once. Inside `transact` the job exists if and only if the transaction commits.
 * Returns it, and whether it is new.
 */
export async function enqueueJob<C extends JobClass>(
  ctx: Context,
  jobClass: C,
  args: JobArguments<C>,
  options: EnqueueOptions = {},
): Promise<{ job: Job; isNew: boolean }> {
  const row = newJobRow(ctx, jobClass, args, options);
  const insert = options.unicity ? insertJobOnce : insertJob;
  const inserted = await insert(ctx.db, row);
  if (inserted !== undefined) {
    ctx.events.publish({ type: 'job', id: inserted.id });
    return { job: toJob(inserted), isNew: true };
  }
  const other = await findOpenJobByUnicity(ctx.db, options.unicity ?? '');
  // The other job has finished meanwhile: try again.
  if (other === undefined) return enqueueJob(ctx, jobClass, args, options);
  return { job: toJob(other), isNew: false };
}

/** Returns the row that `enqueueJob` inserts. */
export function newJobRow<C extends JobClass>(
  ctx: Context,
  jobClass: C,
  args: JobArguments<C>,
  { priority = 0, scheduledAt, mediaId, unicity, startedBy }: EnqueueOptions = {},
): NewJobRow {
  const now = ctx.clock();
  const uuid = ctx.newId();
  ctx.observer.jobEnqueued(uuid);
  return {
    uuid,
    job_class: jobClass,
    arguments: JSON.stringify(args),
    media_id: mediaId ?? null,
    status: 'pending',
    priority,
    progress: 0,
    retry_count: 0,
    max_retries: JOB_CLASSES[jobClass].maxRetries,
    unicity: unicity ?? null,
    scheduled_at: scheduledAt?.getTime() ?? now,
    created_by: startedBy?.id ?? null,
    created_role: startedBy?.role ?? null,
    client: viewerSubject(ctx),
    created_at: now,
    updated_at: now,
  };
}

/**
 * Creates the job that finishes a change that the viewer's operation has begun; at most one job is open for each
 * `subject`. If a running job has already passed the change, `resume` of the schedule runs it once more.
 */
export async function enqueueRest<C extends JobClass>(
  ctx: Context,
  jobClass: C,
  args: JobArguments<C>,
  subject: string | number,
): Promise<void> {
  const { id, kind } = ctx.viewer;
  await enqueueJob(ctx, jobClass, args, {
    unicity: serverUnicity(jobClass, String(subject)),
    ...(kind !== 'anonymous' && id !== SYSTEM.id && { startedBy: ctx.viewer }),
  });
}

/** The most blobs that one job deletes. */
const BLOBS_PER_JOB = 500;

/** Enqueues jobs that delete blobs which no row refers to any more. */
export async function enqueueBlobDeletion(
  ctx: Context,
  blobKeys: readonly string[],
): Promise<void> {
  for (let index = 0; index < blobKeys.length; index += BLOBS_PER_JOB) {
    const blob_keys = blobKeys.slice(index, index + BLOBS_PER_JOB);
    await enqueueJob(ctx, 'delete-blob', { blob_keys });
  }
}
