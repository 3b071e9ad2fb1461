/** What a job can be: waiting, at work, held, and three ways of being over. */
export const JOB_STATUSES = [
  'pending',
  'running',
  'paused',
  'completed',
  'errored',
  'cancelled',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What an operator can tell a job: contract §7.3. */
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

/** In which state which signals have an effect. A running job can only be cancelled: no task has a place to pause. */
const ALLOWED: Readonly<Record<JobStatus, readonly JobSignal[]>> = {
  pending: ['run_now', 'reschedule', 'cancel', 'pause', 'set_priority', 'discard'],
  running: ['cancel'],
  paused: ['run_now', 'reschedule', 'cancel', 'resume', 'set_priority'],
  completed: [],
  errored: ['retry', 'reschedule', 'discard'],
  cancelled: ['retry', 'reschedule'],
};

/** The signals that would have an effect on a job now. */
export function allowedSignals(status: JobStatus): readonly JobSignal[] {
  return ALLOWED[status];
}

/** Finer than the status, and derived from the rest: contract §7.2. */
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

/** What of a job tells its phase. */
interface Phased {
  status: JobStatus;
  scheduledAt: Date;
  retryCount: number;
  error: string | null;
  cancelRequestedAt: Date | null;
}

/** The phase of a job at a time, in milliseconds since 1970. */
export function phaseOf(job: Phased, now: number): JobPhase {
  if (job.status === 'running') return job.cancelRequestedAt === null ? 'running' : 'cancelling';
  if (job.status !== 'pending') return job.status;
  if (job.scheduledAt.getTime() <= now) return 'queued';
  return job.retryCount > 0 && job.error !== null ? 'retrying' : 'scheduled';
}
