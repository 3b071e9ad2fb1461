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
  const end = (reason: EndReason) => abort.abort(new RunEndedError(reason));
  const deadline = createDeadline(() => end('lost'));
  const leftMs = () => (row.leased_until ?? 0) - ctx.clock();
  deadline.set(leftMs());
  const done = work(ctx, row, { ...options, lease, signal: abort.signal })
    .catch((error) =>
      // The lease will run out, and the job be tried again.
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
  return { job: toJob(row), done, end, look: () => logged(look()), beat: () => logged(beat()) };
}

/** When a lease that cannot be prolonged is over: from then on another worker may have the job. */
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

/** Does the work, and writes what has become of it. */
async function work(ctx: Context, row: JobRow, options: WorkOptions): Promise<void> {
  const { lease } = options;
  const write = (columns: JobChange) => updateLeasedJob(ctx.db, lease, columns);
  const progress = createProgress(ctx, row.id, write);
  const outcome = await outcomeOf(ctx, row, options, progress.report);
  await progress.stop();
  if (outcome.kind === 'lost') return;
  if (outcome.kind === 'failed') logFailure(ctx, row, outcome.error);
  await endRun(ctx, lease, toEnd(ctx, row, outcome, options.random()));
}

async function outcomeOf(
  ctx: Context,
  row: JobRow,
  { tasks, graceMs, signal }: WorkOptions,
  progress: (fraction: number) => void,
): Promise<Outcome | { kind: 'lost' }> {
  const task = tasks[row.job_class as JobClass] as Task<JobClass> | undefined;
  if (task === undefined) return { kind: 'failed', error: new PermanentError('No such class.') };
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
