import type { Context } from '../domain/context.ts';
import { transact } from '../domain/context.ts';
import { DomainError } from '../domain/error.ts';
import { type Job, toJob } from '../domain/job.ts';
import type { JobClass } from '../domain/job-class.ts';
import {
  closeAttempt,
  findLeasedJob,
  type JobChange,
  type JobRow,
  type Lease,
  lockLeasedJob,
  updateLeasedJob,
} from '../store/job-run.ts';
import { retryDelayMs } from './backoff.ts';
import { createProgress } from './progress.ts';
import { PermanentError, type Task, TaskError, type Tasks } from './task.ts';

/** Why a run is to end before its task does. */
export type EndReason = 'cancelled' | 'lost' | 'stopping';

/** What the signal of a run carries. */
export class RunEndedError extends Error {
  override readonly name = 'RunEndedError';
  readonly reason: EndReason;

  constructor(reason: EndReason) {
    super(`The run is to end: ${reason}.`);
    this.reason = reason;
  }
}

/** A run that goes on in this process. */
export interface ActiveRun {
  job: Job;
  /** Settles once the job says how the run has ended; never rejects. */
  done: Promise<void>;
  /** Tells the task to stop, and does not wait for one that does not listen. */
  end(reason: EndReason): void;
  /** Ends the run if somebody wants that, or it is not ours any more. Never rejects. */
  look(): Promise<void>;
  /** The same, and prolongs the lease. */
  beat(): Promise<void>;
}

/** What a run needs of its worker. */
export interface RunOptions {
  tasks: Tasks;
  leaseMs: number;
  /** How long a task that is told to stop has. */
  graceMs: number;
  random: () => number;
}

/** Runs the task of a job that has just been claimed. */
export function startRun(ctx: Context, row: JobRow, options: RunOptions): ActiveRun {
  const lease = { id: row.id, leaseToken: row.lease_token ?? '' };
  const abort = new AbortController();
  const job = toJob(row);
  const write = (columns: JobChange) => updateLeasedJob(ctx.db, lease, columns);
  const progress = createProgress(ctx, job.id, write);
  const end = (reason: EndReason) => abort.abort(new RunEndedError(reason));
  const work = async () => {
    const outcome = await outcomeOf(ctx, job, options, abort.signal, progress.report);
    await progress.stop();
    await settle(ctx, row, lease, outcome, options.random());
  };
  const done = work().catch((error) =>
    // The lease will run out, and the job be tried again.
    ctx.log.error({ err: error, job: job.uuid }, 'the end of a job could not be written'),
  );
  const logged = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error) => ctx.log.error({ err: error, job: job.uuid }, 'a lease could not be read'),
    );
  const look = async () => {
    const leased = await findLeasedJob(ctx.db, lease);
    if (leased === undefined) end('lost');
    else if (leased.cancel_requested_at !== null) end('cancelled');
  };
  const beat = async () => {
    const now = ctx.clock();
    await write({ heartbeat_at: now, leased_until: now + options.leaseMs });
    await look();
  };
  return { job, done, end, look: () => logged(look()), beat: () => logged(beat()) };
}

type WrittenOutcome =
  | { kind: 'completed'; result: object | null }
  | { kind: 'failed'; error: unknown }
  | { kind: 'cancelled' }
  | { kind: 'stopping' };
type Outcome = WrittenOutcome | { kind: 'lost' };

async function outcomeOf(
  ctx: Context,
  job: Job,
  { tasks, graceMs }: RunOptions,
  signal: AbortSignal,
  progress: (fraction: number) => void,
): Promise<Outcome> {
  const task = tasks[job.jobClass as JobClass] as Task<JobClass> | undefined;
  if (task === undefined) return { kind: 'failed', error: new PermanentError('No such class.') };
  const work = (async () =>
    task(ctx, job.arguments as never, { jobId: job.id, signal, progress }))();
  const grace = new AbortController();
  try {
    const result = await Promise.race([work, givenUp(signal, graceMs, grace.signal)]);
    return { kind: 'completed', result: result ?? null };
  } catch (error) {
    const { reason } = signal;
    if (reason instanceof RunEndedError) return { kind: reason.reason };
    return { kind: 'failed', error };
  } finally {
    grace.abort();
    // One that was given up may still fail, which nobody waits for any more.
    work.catch(() => undefined);
  }
}

/** Rejects when a task that is told to stop has not done so in time. */
function givenUp(signal: AbortSignal, graceMs: number, over: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const wait = () => {
      const timer = setTimeout(() => reject(signal.reason), graceMs);
      over.addEventListener('abort', () => clearTimeout(timer));
    };
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true, signal: over });
  });
}

async function settle(
  ctx: Context,
  row: JobRow,
  lease: Lease,
  outcome: Outcome,
  random: number,
): Promise<void> {
  if (outcome.kind === 'lost') return;
  if (outcome.kind === 'failed') logFailure(ctx, row, outcome.error);
  await endRun(ctx, lease, toEnd(ctx, row, outcome, random));
}

/** How a run has ended: what becomes of its job, and what its log says. */
export interface RunEnd {
  columns: JobChange;
  /** Of the attempt; null: it has done its work. */
  error: string | null;
}

/** Writes the end of a run, if the job is still its: false when it is not. */
export async function endRun(ctx: Context, lease: Lease, end: RunEnd): Promise<boolean> {
  return transact(ctx, async (ctx) => {
    const now = ctx.clock();
    const free = { lease_token: null, leased_until: null, heartbeat_at: null, updated_at: now };
    const leased = await lockLeasedJob(ctx.db, lease);
    if (leased === undefined) return false;
    // Somebody wanted it to end while it failed: it is not tried again.
    const isCancelled = leased.cancel_requested_at !== null && end.columns.status === 'pending';
    const columns = isCancelled ? { status: 'cancelled', finished_at: now } : end.columns;
    await updateLeasedJob(ctx.db, lease, { ...columns, ...free });
    await closeAttempt(ctx.db, { jobId: lease.id, error: end.error, now });
    ctx.events.publish({ type: 'job', id: lease.id });
    return true;
  });
}

/** What becomes of the job. */
function toEnd(ctx: Context, row: JobRow, outcome: WrittenOutcome, random: number): RunEnd {
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
      // Nobody's failure: it costs no retry.
      return { columns: { status: 'pending', progress: 0 }, error: 'The server stopped.' };
    case 'failed': {
      const isFinal = outcome.error instanceof PermanentError;
      return failure(ctx, row, toText(outcome.error), { isFinal, random });
    }
  }
  return outcome satisfies never;
}

/** A failed run: tried again later, as long as there are retries left. */
export function failure(
  ctx: Context,
  row: JobRow,
  error: string,
  { isFinal, random }: { isFinal: boolean; random: number },
): RunEnd {
  const now = ctx.clock();
  if (isFinal || row.retry_count >= row.max_retries) {
    return { columns: { status: 'errored', progress: 0, error, finished_at: now }, error };
  }
  const scheduled_at = now + retryDelayMs(row.retry_count, random);
  const retry_count = row.retry_count + 1;
  return { columns: { status: 'pending', progress: 0, error, retry_count, scheduled_at }, error };
}

const ERROR_LENGTH_MAX = 1000;

/** Contract §3.4: `ClassName: message`. What a bug says may hold a path or a statement: it stays in the log. */
function toText(error: unknown): string {
  const isShown = error instanceof TaskError || error instanceof DomainError;
  const text = isShown
    ? `${error.name}: ${error.message}`
    : 'InternalError: The task failed; the log of the server says why.';
  return text.slice(0, ERROR_LENGTH_MAX);
}

function logFailure({ log }: Context, { uuid, job_class }: JobRow, error: unknown): void {
  const isExpected = error instanceof TaskError || error instanceof DomainError;
  const fields = { err: error, job: uuid, jobClass: job_class };
  if (isExpected) log.warn(fields, 'job failed');
  else log.error(fields, 'job failed');
}
