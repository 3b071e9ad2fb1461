import { z } from 'zod';
import { isUniqueViolation } from '../../store/error.ts';
import { findJobs, findOpenJobByUnicity, updateJobIn } from '../../store/job/job.ts';
import type { JobChange, JobRow } from '../../store/table.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError, NotFoundError } from '../error.ts';
import { freeText, parseInput } from '../input.ts';
import { authorizeExisting, jobSightOf } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { IllegalSignalError, UnicityTakenError } from './conflict.ts';
import { findJob, type Job, jobTarget, toShownJob } from './job.ts';
import { allowedSignals, JOB_SIGNALS, type JobSignal, type JobStatus } from './state.ts';

/** The state that a signal leads to: in this state the signal has no effect, and is not an error. */
const DONE: Readonly<Partial<Record<JobSignal, JobStatus>>> = {
  retry: 'pending',
  cancel: 'cancelled',
  pause: 'paused',
  resume: 'pending',
};

const signalInput = z.object({
  signal: z.enum(JOB_SIGNALS, `Expected one of ${JOB_SIGNALS.join(', ')}.`),
  /** The new time of `reschedule`, which requires it. */
  at: z.date().nullish(),
  /** The new priority of `set_priority`, which requires it. */
  priority: z.int32().nullish(),
  /** The reason of `cancel` and `discard`. */
  reason: freeText(500).nullish(),
});

/** Input of `signalJob`. */
export type SignalInput = z.input<typeof signalInput>;
type Signal = z.output<typeof signalInput>;

/**
 * Sends a signal to a job and returns the changed job; the same signal again changes nothing. Allowed to the user who
 * started the job, and to admins. Throws NotFoundError, InvalidInputError, IllegalSignalError, and UnicityTakenError
 * if another job has taken its `unicity` meanwhile.
 */
export async function signalJob(ctx: Context, id: number, input: SignalInput): Promise<Job> {
  const [found] = await findJobs(ctx.db, jobSightOf(ctx), { ids: [id] });
  const owned = found && { ...found, owner: found.created_by };
  const row = authorizeExisting(ctx, 'job.signal', owned, { noun: 'job', id });
  const signal = parseInput(signalInput, input);
  checkNeeded(signal);
  const job = await transact(ctx, (ctx) => apply(ctx, row, signal)).catch((error) =>
    refuseTaken(ctx, row, error),
  );
  ctx.log.info({ job: job.uuid, ...signal, viewer: ctx.viewer.id }, 'a job received a signal');
  return job;
}

function checkNeeded({ signal, at, priority }: Signal): void {
  if (signal === 'reschedule' && !at) {
    throw InvalidInputError.of('at', 'REQUIRED', 'It is required for the signal reschedule.');
  }
  if (signal === 'set_priority' && typeof priority !== 'number') {
    throw InvalidInputError.of(
      'priority',
      'REQUIRED',
      'It is required for the signal set_priority.',
    );
  }
}

async function apply(ctx: Context, row: JobRow, signal: Signal): Promise<Job> {
  const { id } = row;
  const status = row.status as JobStatus;
  if (!allowedSignals(status).includes(signal.signal)) {
    if (DONE[signal.signal] === status) return toShownJob(ctx, row);
    throw new IllegalSignalError(signal.signal, status);
  }
  const now = ctx.clock();
  const columns = EFFECTS[signal.signal](row, signal, now);
  if (isAsItWas(row, columns)) return toShownJob(ctx, row);
  const isChanged = await updateJobIn(ctx.db, { id, status }, { ...columns, updated_at: now });
  const [after] = await findJobs(ctx.db, jobSightOf(ctx), { ids: [id] });
  if (after === undefined) throw new NotFoundError('job', id);
  // A worker has changed the job meanwhile: apply the signal to its new state.
  if (!isChanged) return apply(ctx, after, signal);
  const details = { signal: signal.signal };
  await recordAudit(ctx, { action: 'signal', target: jobTarget(id, row.job_class), details });
  ctx.events.publish({ type: 'job', id });
  return toShownJob(ctx, after);
}

function isAsItWas(row: JobRow, columns: JobChange): boolean {
  return Object.entries(columns).every(([name, value]) => row[name as keyof JobRow] === value);
}

/**
 * Throws UnicityTakenError if the error is a unique violation: a finished job does not hold its `unicity`, and another
 * job may have it when this one is reopened.
 */
async function refuseTaken(ctx: Context, row: JobRow, error: unknown): Promise<never> {
  if (!isUniqueViolation(error)) throw error;
  const other = await findOpenJobByUnicity(ctx.db, row.unicity ?? '');
  throw new UnicityTakenError(await findJob(ctx, { id: (other ?? row).id }));
}

/** The columns of a job that will run again. It keeps its retry count: one without retries left gets one run. */
const reopened = (scheduledAt: number): JobChange => ({
  status: 'pending',
  scheduled_at: scheduledAt,
  progress: 0,
  error: null,
  finished_at: null,
  cancel_requested_at: null,
  cancel_reason: null,
});

const EFFECTS: Record<JobSignal, (row: JobRow, signal: Signal, now: number) => JobChange> = {
  retry: (_row, _signal, now) => reopened(now),
  run_now: (row, _signal, now) => ({
    status: 'pending',
    scheduled_at: Math.min(row.scheduled_at, now),
  }),
  reschedule: (row, { at }, now) => {
    const scheduledAt = at?.getTime() ?? now;
    return row.finished_at === null ? { scheduled_at: scheduledAt } : reopened(scheduledAt);
  },
  cancel: (row, { reason }, now) => {
    const asked = { cancel_requested_at: now, cancel_reason: reason ?? null };
    // Its worker ends the run; the first request counts.
    if (row.status === 'running') return row.cancel_requested_at === null ? asked : {};
    return { ...asked, status: 'cancelled', finished_at: now };
  },
  pause: () => ({ status: 'paused' }),
  resume: () => ({ status: 'pending' }),
  set_priority: (_row, { priority }) => ({ priority: priority ?? 0 }),
  discard: (row, { reason }, now) => ({
    status: 'errored',
    max_retries: row.retry_count,
    error: reason || row.error || 'Discarded.',
    finished_at: row.finished_at ?? now,
  }),
};
