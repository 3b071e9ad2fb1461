import type { Context } from '../domain/context.ts';
import type { JobClass } from '../domain/job/class.ts';
import { type Job, toJob } from '../domain/job/job.ts';
import {
  findLeasedJob,
  type JobChange,
  type JobRow,
  type Lease,
  updateLeasedJob,
} from '../store/job/run.ts';
import { endRun, logFailure, type Outcome, toEnd } from './outcome.ts';
import { createProgress } from './progress.ts';
import { PermanentError, type Task, type Tasks } from './task.ts';

/** The reason to end a run before its task has finished. */
export type EndReason = 'cancelled' | 'lost' | 'stopping';

/** The reason of a run's abort signal. */
export class RunEndedError extends Error {
  override readonly name = 'RunEndedError';
  readonly reason: EndReason;

  constructor(reason: EndReason) {
    super(`The run must end: ${reason}.`);
    this.reason = reason;
  }
}

/** A run that is in progress in this process. */
export interface ActiveRun {
  job: Job;
  /** The client that has caused the job: see `JobTable.client`. */
  client: string;
  /** Resolves after the end of the run has been written; never rejects. */
  done: Promise<void>;
  /** Aborts the task; gives it up if it does not stop in time. */
  end(reason: EndReason): void;
  /** Ends the run if the job has been cancelled or its lease is lost. Never rejects. */
  look(): Promise<void>;
  /** Extends the lease, then does the same as `look`. */
  beat(): Promise<void>;
}

/** The settings of a worker that its runs need. */
export interface RunOptions {
  tasks: Tasks;
  leaseMs: number;
  /** Time in which an aborted task has to stop. */
  graceMs: number;
  random: () => number;
}

/** Starts the task of a job that has just been claimed. */
export function startRun(ctx: Context, row: JobRow, options: RunOptions): ActiveRun {
  const lease = { id: row.id, leaseToken: row.lease_token ?? '' };
  const abort = new AbortController();
  const end = (reason: EndReason) => abort.abort(new RunEndedError(reason));
  const deadline = createDeadline(() => end('lost'));
  const leftMs = () => (row.leased_until ?? 0) - ctx.clock();
  deadline.set(leftMs());
  const done = observedWork(ctx, row, { ...options, lease, signal: abort.signal })
    .catch((error) =>
      // The lease will expire, and the job will be retried.
      ctx.log.error({ err: error, job: row.uuid }, 'the end of a job could not be written'),
    )
    .finally(deadline.stop);
  const look = async () => {
    const leased = await findLeasedJob(ctx.db, lease);
    if (leased === undefined) end('lost');
    else if (leased.cancel_requested_at !== null) end('cancelled');
  };
  const beat = async () => {
    const now = ctx.clock();
    const leased_until = now + options.leaseMs;
    if (await updateLeasedJob(ctx.db, lease, { heartbeat_at: now, leased_until })) {
      deadline.set(leased_until - ctx.clock());
    }
    await look();
  };
  const logged = (work: Promise<void>) =>
    work.catch((error) =>
      ctx.log.error({ err: error, job: row.uuid }, 'a lease could not be read'),
    );
  return {
    job: toJob(row),
    client: row.client,
    done,
    end,
    look: () => logged(look()),
    beat: () => logged(beat()),
  };
}

/** Calls `onOver` when a lease that could not be extended expires: then another worker may take the job. */
function createDeadline(onOver: () => void) {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  return {
    set(ms: number) {
      clearTimeout(timer);
      if (!isStopped) timer = setTimeout(onOver, ms).unref();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

interface WorkOptions extends RunOptions {
  lease: Lease;
  signal: AbortSignal;
}

async function observedWork(ctx: Context, row: JobRow, options: WorkOptions): Promise<void> {
  const { uuid, job_class: jobClass } = row;
  await ctx.observer.job({ uuid, jobClass }, () => work(ctx, row, options));
}

/** Runs the task and writes its outcome, which it returns. */
async function work(
  ctx: Context,
  row: JobRow,
  options: WorkOptions,
): Promise<Outcome | { kind: 'lost' }> {
  const { lease } = options;
  const write = (columns: JobChange) => updateLeasedJob(ctx.db, lease, columns);
  const progress = createProgress(ctx, row, write);
  const outcome = await outcomeOf(ctx, row, options, progress.report);
  await progress.stop();
  if (outcome.kind === 'lost') return outcome;
  if (outcome.kind === 'failed') logFailure(ctx, row, outcome.error);
  await endRun(ctx, lease, toEnd(ctx, row, outcome, options.random()));
  return outcome;
}

async function outcomeOf(
  ctx: Context,
  row: JobRow,
  { tasks, graceMs, signal }: WorkOptions,
  progress: (fraction: number) => void,
): Promise<Outcome | { kind: 'lost' }> {
  const task = tasks[row.job_class as JobClass] as Task<JobClass> | undefined;
  if (task === undefined)
    return { kind: 'failed', error: new PermanentError('The job class is unknown.') };
  const { id, created_by, created_role } = row;
  const startedBy = created_by === null ? null : { id: created_by, role: created_role ?? '' };
  const run = { jobId: id, startedBy, signal, progress };
  const args = JSON.parse(row.arguments);
  const work = (async () => task(ctx, args as never, run))();
  const over = new AbortController();
  try {
    const result = await Promise.race([work, givenUp(signal, graceMs, over.signal)]);
    return { kind: 'completed', result: result ?? null };
  } catch (error) {
    const { reason } = signal;
    if (reason instanceof RunEndedError) return { kind: reason.reason };
    return { kind: 'failed', error };
  } finally {
    over.abort();
    // A task that was given up may still reject, and nothing awaits it.
    work.catch(() => undefined);
  }
}

/** Rejects if an aborted task has not stopped after `graceMs`. */
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
