import { z } from 'zod';
import { isUniqueViolation } from '../../store/error.ts';
import { findJobs, findOpenJobByUnicity, updateJobIn } from '../../store/job/job.ts';
import type { JobChange, JobRow } from '../../store/table.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError, InvalidInputError, NotFoundError } from '../error.ts';
import { freeText, parseInput } from '../input.ts';
import { authorizeExisting } from '../viewer/access.ts';
import { type Job, toJob, unicityTaken } from './job.ts';
import { allowedSignals, JOB_SIGNALS, type JobSignal, type JobStatus } from './state.ts';

/** Where a signal leads to: told again there, it has no more effect, and is no mistake. */
const DONE: Readonly<Partial<Record<JobSignal, JobStatus>>> = {
  retry: 'pending',
  cancel: 'cancelled',
  pause: 'paused',
  resume: 'pending',
};

const signalInput = z.object({
  signal: z.enum(JOB_SIGNALS, `Expected one of ${JOB_SIGNALS.join(', ')}.`),
  /** Of `reschedule`, which needs it. */
  at: z.date().nullish(),
  /** Of `set_priority`, which needs it. */
  priority: z.int32().nullish(),
  /** Of `cancel` and `discard`. */
  reason: freeText(500).nullish(),
});

/** Input of `signalJob`. */
export type SignalInput = z.input<typeof signalInput>;
type Signal = z.output<typeof signalInput>;

/**
 * Tells a job something, and answers the job as it is then; told again, the same signal changes nothing. Needs
 * who started the job, or an admin. Throws NotFoundError, InvalidInputError, ConflictError ILLEGAL_SIGNAL for what
 * makes no sense in the job's state, ALREADY_EXISTS if its `unicity` has been taken meanwhile.
 */
export async function signalJob(ctx: Context, id: number, input: SignalInput): Promise<Job> {
  const [found] = await findJobs(ctx.db, { ids: [id] });
  const owned = found && { ...found, owner: found.created_by };
  const row = authorizeExisting(ctx, 'job.signal', owned, { noun: 'job', id });
  const signal = parseInput(signalInput, input);
  checkNeeded(signal);
  const job = await transact(ctx, (ctx) => apply(ctx, row, signal)).catch((error) =>
    refuseTaken(ctx, row, error),
  );
  ctx.log.info({ job: job.uuid, ...signal, viewer: ctx.viewer.id }, 'a job was told something');
  return job;
}

function checkNeeded({ signal, at, priority }: Signal): void {
  if (signal === 'reschedule' && !at) {
    throw InvalidInputError.of('at', 'REQUIRED', 'The signal reschedule needs a time.');
  }
  if (signal === 'set_priority' && typeof priority !== 'number') {
    throw InvalidInputError.of('priority', 'REQUIRED', 'The signal set_priority needs a priority.');
  }
}

async function apply(ctx: Context, row: JobRow, signal: Signal): Promise<Job> {
  const { id } = row;
  const status = row.status as JobStatus;
  if (!allowedSignals(status).includes(signal.signal)) {
    if (DONE[signal.signal] === status) return toJob(row);
    throw illegalSignal(signal.signal, status);
  }
  const now = ctx.clock();
  const columns = EFFECTS[signal.signal](row, signal, now);
  if (isAsItWas(row, columns)) return toJob(row);
  const isChanged = await updateJobIn(ctx.db, { id, status }, { ...columns, updated_at: now });
  const [after] = await findJobs(ctx.db, { ids: [id] });
  if (after === undefined) throw new NotFoundError('job', id);
  // A worker has been quicker: the signal is for the job as it is now.
  if (!isChanged) return apply(ctx, after, signal);
  ctx.events.publish({ type: 'job', id });
  return toJob(after);
}

function isAsItWas(row: JobRow, columns: JobChange): boolean {
  return Object.entries(columns).every(([name, value]) => row[name as keyof JobRow] === value);
}

function illegalSignal(signal: JobSignal, status: JobStatus): ConflictError {
  const allowed = allowedSignals(status);
  const others = allowed.length > 0 ? allowed.join(', ') : 'none';
  const message = `A job that is ${status} takes no signal ${signal}; it takes: ${others}.`;
  return new ConflictError('ILLEGAL_SIGNAL', message, {
    job: { status, allowedSignals: allowed },
  });
}

/** A job that is over has given its `unicity` free: when it is opened again, another may have it. */
async function refuseTaken(ctx: Context, row: JobRow, error: unknown): Promise<never> {
  if (!isUniqueViolation(error)) throw error;
  const other = await findOpenJobByUnicity(ctx.db, row.unicity ?? '');
  throw unicityTaken(other ?? row);
}

/** A job that is to be run, at the same count of retries: one that has none left gets this one run. */
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
    // The worker that has it ends it; what is asked first counts.
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
