import type { JobPhase, JobStatus } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import type { EnumValues } from '../../enum.ts';

/** The states that are phases, too. */
const BOTH = {
  RUNNING: { value: 'running', description: 'A worker is running the job.' },
  PAUSED: { value: 'paused', description: 'On hold until it receives the signal `RESUME`.' },
  COMPLETED: { value: 'completed', description: 'Finished successfully.' },
  ERRORED: { value: 'errored', description: 'Failed, and not retried automatically.' },
  CANCELLED: { value: 'cancelled', description: 'Cancelled on request.' },
} as const;

/** The states of a job. */
export const JobStatusEnum = builder.enumType('JobStatus', {
  description: 'State of a job.',
  values: {
    ...BOTH,
    PENDING: { value: 'pending', description: 'Waiting for its scheduled time or for a worker.' },
  } as const satisfies EnumValues<JobStatus>,
});

/** The phases of a job: finer than its states. */
export const JobPhaseEnum = builder.enumType('JobPhase', {
  description: 'Phase of a job: its state, and for a pending job the reason why it waits.',
  values: {
    ...BOTH,
    SCHEDULED: { value: 'scheduled', description: 'Waiting for its scheduled time.' },
    QUEUED: { value: 'queued', description: 'Due, and waiting for a worker.' },
    RETRYING: { value: 'retrying', description: 'Failed, and waiting for its next attempt.' },
    CANCELLING: {
      value: 'cancelling',
      description: 'A worker is running the job, and has been asked to stop.',
    },
  } as const satisfies EnumValues<JobPhase>,
});
