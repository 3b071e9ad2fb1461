/** The states of a job: waiting, running, held, and three in which it has finished. */
export const JOB_STATUSES = [
  'pending',
  'running',
  'paused',
  'completed',
  'errored',
  'cancelled',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** The signals that a user can send to a job: contract §7.3. */
export const JOB_SIGNALS = [
  'retry',
  'run_now',
  'reschedule',
  'cancel',
  'pause',
  'resume',
  'set_priority',
  'discard',
] as const;
export type JobSignal = (typeof JOB_SIGNALS)[number];

/** The signals that each state allows. A running job can only be cancelled, because no task can pause. */
const ALLOWED: Readonly<Record<JobStatus, readonly JobSignal[]>> = {
  pending: ['run_now', 'reschedule', 'cancel', 'pause', 'set_priority', 'discard'],
  running: ['cancel'],
  paused: ['run_now', 'reschedule', 'cancel', 'resume', 'set_priority'],
  completed: [],
  errored: ['retry', 'reschedule', 'discard'],
  cancelled: ['retry', 'reschedule'],
};

/** Returns the signals that a state allows. */
export function allowedSignals(status: JobStatus): readonly JobSignal[] {
  return ALLOWED[status];
}

/** A finer state, derived from the status and other fields: contract §7.2. */
export type JobPhase =
  | 'scheduled'
  | 'queued'
  | 'retrying'
  | 'running'
  | 'cancelling'
  | 'paused'
  | 'completed'
  | 'errored'
  | 'cancelled';

/** The fields of a job that decide its phase. */
interface Phased {
  status: JobStatus;
  scheduledAt: Date;
  retryCount: number;
  error: string | null;
  cancelRequestedAt: Date | null;
}

/** Returns the phase of a job at a time, in milliseconds since 1970. */
export function phaseOf(job: Phased, now: number): JobPhase {
  if (job.status === 'running') return job.cancelRequestedAt === null ? 'running' : 'cancelling';
  if (job.status !== 'pending') return job.status;
  if (job.scheduledAt.getTime() <= now) return 'queued';
  return job.retryCount > 0 && job.error !== null ? 'retrying' : 'scheduled';
}
