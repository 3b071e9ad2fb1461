import { type Context, transact } from '../domain/context.ts';
import { DomainError } from '../domain/error.ts';
import {
  closeAttempt,
  type JobChange,
  type JobRow,
  type Lease,
  lockLeasedJob,
  updateLeasedJob,
} from '../store/job/run.ts';
import { retryDelayMs } from './backoff.ts';
import { PermanentError, TaskError } from './task.ts';

/** The outcome of a run whose job still belongs to its worker. */
export type Outcome =
  | { kind: 'completed'; result: object | null }
  | { kind: 'failed'; error: unknown }
  | { kind: 'cancelled' }
  | { kind: 'stopping' };

/** The changes that the end of a run makes to its job and its attempt. */
export interface RunEnd {
  columns: JobChange;
  /** The error of the attempt; null if it succeeded. */
  error: string | null;
  /** Write the end only if the lease expired before this time. Milliseconds since 1970. */
  expiredBefore?: number;
}

/** Returns the changes for an outcome. `random`: from 0 to 1. */
export function toEnd(ctx: Context, row: JobRow, outcome: Outcome, random: number): RunEnd {
  const now = ctx.clock();
  switch (outcome.kind) {
    case 'completed': {
      const result = outcome.result && JSON.stringify(outcome.result);
      const columns = { status: 'completed', progress: 1, error: null, result, finished_at: now };
      return { columns, error: null };
    }
    case 'cancelled':
      return { columns: { status: 'cancelled', finished_at: now }, error: 'Cancelled.' };
    case 'stopping':
      // Not a failure of the job: it costs no retry.
      return { columns: { status: 'pending', progress: 0 }, error: 'The server stopped.' };
    case 'failed':
      return failure(ctx, row, outcome.error, random);
  }
  return outcome satisfies never;
}

/** The worker has sent no heartbeat in time: contract §7.4. */
export class WorkerLostError extends TaskError {
  override readonly name = 'WorkerLostError';

  constructor() {
    super('The worker was lost.');
  }
}

/**
 * Returns the changes for a failed run: the job is retried later while it has retries left. The wait starts at the last
 * heartbeat of a lost worker, so most of it is over when the loss is noticed. `random`: from 0 to 1.
 */
export function failure({ clock }: Context, row: JobRow, cause: unknown, random: number): RunEnd {
  const now = clock();
  const failedAt = cause instanceof WorkerLostError ? (row.heartbeat_at ?? now) : now;
  const error = toText(cause);
  if (cause instanceof PermanentError || row.retry_count >= row.max_retries) {
    return { columns: { status: 'errored', progress: 0, error, finished_at: now }, error };
  }
  const asked = cause instanceof TaskError ? cause.retryAfterMs : 0;
  const delayMs = retryDelayMs(row.retry_count, random, asked);
  const scheduled_at = Math.max(now, failedAt + delayMs);
  const retry_count = row.retry_count + 1;
  return { columns: { status: 'pending', progress: 0, error, retry_count, scheduled_at }, error };
}

/** Writes the end of a run. Returns false, and changes nothing, if the lease no longer holds the job. */
export async function endRun(ctx: Context, lease: Lease, end: RunEnd): Promise<boolean> {
  return transact(ctx, async (ctx) => {
    const now = ctx.clock();
    const free = { lease_token: null, leased_until: null, heartbeat_at: null, updated_at: now };
    const leased = await lockLeasedJob(ctx.db, lease);
    if (leased === undefined) return false;
    const { leased_until, cancel_requested_at } = leased;
    if (end.expiredBefore !== undefined && (leased_until ?? 0) >= end.expiredBefore) return false;
    // A job that a user has cancelled is not retried, even if its run failed.
    const isCancelled = cancel_requested_at !== null && end.columns.status !== 'completed';
    const columns = isCancelled ? { status: 'cancelled', finished_at: now } : end.columns;
    await updateLeasedJob(ctx.db, lease, { ...columns, ...free });
    await closeAttempt(ctx.db, { jobId: lease.id, error: end.error, now });
    ctx.events.publish({ type: 'job', id: lease.id });
    return true;
  });
}

/** Logs the error of a failed run. */
export function logFailure({ log }: Context, { uuid, job_class }: JobRow, error: unknown): void {
  const fields = { err: error, job: uuid, jobClass: job_class };
  if (isForPeople(error)) log.warn(fields, 'job failed');
  else log.error(fields, 'job failed');
}

const ERROR_LENGTH_MAX = 1000;

/**
 * Returns `ClassName: message`: contract §3.4. The message of a bug may hold a path or an SQL statement: it stays in
 * the log.
 */
function toText(error: unknown): string {
  const text = isForPeople(error)
    ? `${error.name}: ${error.message}`
    : 'InternalError: The task failed; the log of the server says why.';
  return text.slice(0, ERROR_LENGTH_MAX);
}

function isForPeople(error: unknown): error is TaskError | DomainError {
  return error instanceof TaskError || error instanceof DomainError;
}
