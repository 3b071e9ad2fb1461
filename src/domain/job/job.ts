import { groupById } from '../../lib/group.ts';
import * as store from '../../store/job/job.ts';
import type { JobAttemptRow, JobRow } from '../../store/table.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { authorize, isAdmin, jobSightOf } from '../viewer/access.ts';
import { type AuditTarget, recordAudit } from '../viewer/audit.ts';
import type { JobStatus } from './state.ts';

/** Work that runs at least once, outside of requests. */
export interface Job {
  id: number;
  uuid: string;
  /** The kind of work, such as `delete-blob`. */
  jobClass: string;
  /** Empty for a viewer who may not read them: see `asShown`. */
  arguments: unknown;
  /** Jobs with a higher priority run first. */
  priority: number;
  status: JobStatus;
  /** 0 to 1. */
  progress: number;
  retryCount: number;
  maxRetries: number;
  /** The error of the last failed run. */
  error: string | null;
  /** No two unfinished jobs have the same value. Null for a viewer who may not read the arguments. */
  unicity: string | null;
  /** The job does not run before this time. */
  scheduledAt: Date;
  createdAt: Date;
  updatedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** The worker that runs it or ran it last; null if none has. */
  worker: string | null;
  /** The last heartbeat of its worker; null if the job is not running. */
  heartbeatAt: Date | null;
  /** `Viewer.id` of the user who started it; null: the server itself. */
  startedBy: string | null;
  /** Time at which a user asked to cancel it. */
  cancelRequestedAt: Date | null;
  cancelReason: string | null;
  /** The value that its task returned. */
  result: unknown;
}

/** One run of a job. */
export interface JobAttempt {
  number: number;
  worker: string;
  startedAt: Date;
  finishedAt: Date | null;
  error: string | null;
}

/** A key of a job. */
export type JobBy = { id: number } | { uuid: string };

/** Returns the job, or null if none exists that the viewer may see. */
export async function findJob(ctx: Context, by: JobBy): Promise<Job | null> {
  authorize(ctx, 'job.read');
  const filter = 'id' in by ? { ids: [by.id] } : { uuids: [by.uuid.toLowerCase()] };
  const [row] = await store.findJobs(ctx.db, jobSightOf(ctx), filter);
  return row === undefined ? null : toShownJob(ctx, row);
}

/** Returns those of the jobs that exist and that the viewer may see, in no order. */
export async function jobsByIds(ctx: Context, ids: readonly number[]): Promise<Job[]> {
  authorize(ctx, 'job.read');
  const rows = await store.findJobs(ctx.db, jobSightOf(ctx), { ids });
  return rows.map((row) => toShownJob(ctx, row));
}

/** Returns the runs of each job, oldest first. The caller must have checked that the viewer may see the jobs. */
export async function attemptsByJobIds(
  ctx: Context,
  jobIds: readonly number[],
): Promise<Map<number, JobAttempt[]>> {
  const rows = await store.listAttemptsByJobIds(ctx.db, jobIds);
  return groupById(rows, (row) => row.job_id, toAttempt);
}

/**
 * Deletes a job in any state, with its runs. A running task is asked to stop, and its outcome is ignored. Allowed to
 * admins. Throws NotFoundError.
 */
export async function deleteJob(ctx: Context, id: number): Promise<void> {
  authorize(ctx, 'job.delete');
  await transact(ctx, async (ctx) => {
    const [found] = await store.findJobs(ctx.db, jobSightOf(ctx), { ids: [id] });
    if (found === undefined || !(await store.deleteJob(ctx.db, id)))
      throw new NotFoundError('job', id);
    await recordAudit(ctx, { action: 'delete', target: jobTarget(id, found.job_class) });
    ctx.events.publish({ type: 'job', id });
  });
}

/** Returns a job as the target of an entry in the audit log. */
export function jobTarget(id: number, jobClass: string): AuditTarget {
  return { kind: 'job', id, name: jobClass };
}

/** Returns the job of a row as the viewer may read it. */
export function toShownJob(ctx: Context, row: JobRow): Job {
  return asShown(ctx, toJob(row));
}

/**
 * Returns a job as the viewer may read it. Only the viewer who started it, and admins, may read what was asked for: its
 * arguments, which contain URLs and names, and its `unicity`. They read URLs without the parts that may be secret: the
 * query, the fragment and the credentials.
 */
export function asShown(ctx: Context, job: Job): Job {
  const isStarter = job.startedBy !== null && job.startedBy === ctx.viewer.id;
  if (!isStarter && !isAdmin(ctx)) return { ...job, arguments: {}, unicity: null };
  return { ...job, arguments: withoutSecrets(job.arguments) };
}

function withoutSecrets(args: unknown): unknown {
  if (typeof args !== 'object' || args === null) return args;
  const shown = Object.entries(args).map(([name, value]) => [
    name,
    typeof value === 'string' && /^https?:/i.test(value)
      ? value.replace(/[?#].*$/s, '').replace(/^(https?:\/\/)[^/]*@/i, '$1')
      : value,
  ]);
  return Object.fromEntries(shown);
}

/** Returns the job of a row, for the server's own work. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    uuid: row.uuid,
    jobClass: row.job_class,
    arguments: JSON.parse(row.arguments),
    priority: row.priority,
    status: row.status as JobStatus,
    progress: row.progress,
    retryCount: row.retry_count,
    maxRetries: row.max_retries,
    error: row.error,
    unicity: row.unicity,
    scheduledAt: new Date(row.scheduled_at),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    startedAt: toDate(row.started_at),
    finishedAt: toDate(row.finished_at),
    worker: row.worker,
    heartbeatAt: toDate(row.heartbeat_at),
    startedBy: row.created_by,
    cancelRequestedAt: toDate(row.cancel_requested_at),
    cancelReason: row.cancel_reason,
    result: row.result === null ? null : JSON.parse(row.result),
  };
}

function toAttempt(row: JobAttemptRow): JobAttempt {
  return {
    number: row.number,
    worker: row.worker,
    startedAt: new Date(row.started_at),
    finishedAt: toDate(row.finished_at),
    error: row.error,
  };
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
