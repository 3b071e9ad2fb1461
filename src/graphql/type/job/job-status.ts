import type { JobPhase, JobStatus } from '../../../domain/job/state.ts';
import { enumOf } from '../../enum.ts';

/** The states that are phases, too. */
const BOTH = {
  running: 'A worker is running the job.',
  paused: 'On hold until it receives the signal `RESUME`.',
  completed: 'Finished successfully.',
  errored: 'Failed, and not retried automatically.',
  cancelled: 'Cancelled on request.',
} as const;

/** The states of a job. */
export const JobStatusEnum = enumOf<JobStatus>('JobStatus', 'State of a job.', {
  ...BOTH,
  pending: 'Waiting for its scheduled time or for a worker.',
});

/** The phases of a job: finer than its states. */
export const JobPhaseEnum = enumOf<JobPhase>(
  'JobPhase',
  'Phase of a job: its state, and for a pending job the reason why it waits.',
  {
    ...BOTH,
    scheduled: 'Waiting for its scheduled time.',
    queued: 'Due, and waiting for a worker.',
    retrying: 'Failed, and waiting for its next attempt.',
    cancelling: 'A worker is running the job, and has been asked to stop.',
  },
);
