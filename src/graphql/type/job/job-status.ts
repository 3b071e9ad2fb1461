import type { JobPhase, JobStatus } from '../../../domain/job/state.ts';
import { enumOf } from '../../enum.ts';

/** The states that are phases, too. */
const BOTH = {
  running: 'A worker is running the job.',
  paused: 'The job is on hold until it receives the signal `RESUME`.',
  completed: 'The job finished successfully.',
  errored: 'The job failed and is not retried automatically.',
  cancelled: 'The job was cancelled with the signal `CANCEL`.',
} as const;

/** The states of a job. */
export const JobStatusEnum = enumOf<JobStatus>('JobStatus', 'State of a job.', {
  ...BOTH,
  pending: 'The job waits for its scheduled time or for a worker.',
});

/** The phases of a job: finer than its states. */
export const JobPhaseEnum = enumOf<JobPhase>(
  'JobPhase',
  'Phase of a job: finer than its state. It tells why a pending job waits, and whether a running job has been asked to stop.',
  {
    ...BOTH,
    scheduled: 'The job waits for its scheduled time.',
    queued: 'The job is due and waits for a worker.',
    retrying: 'The job failed and waits for its next run.',
    cancelling: 'A worker is running the job and has been asked to stop.',
  },
);
