import type { JobPhase, JobStatus } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import type { EnumValues } from '../../enum.ts';

/** The states that are phases, too. */
const BOTH = {
  RUNNING: { value: 'running', description: 'A worker is running the job.' },
  PAUSED: {
    value: 'paused',
    description: 'The job is on hold until it receives the signal `RESUME`.',
  },
  COMPLETED: { value: 'completed', description: 'The job finished successfully.' },
  ERRORED: { value: 'errored', description: 'The job failed and is not retried automatically.' },
  CANCELLED: {
    value: 'cancelled',
    description: 'The job was cancelled with the signal `CANCEL`.',
  },
} as const;

/** The states of a job. */
export const JobStatusEnum = builder.enumType('JobStatus', {
  description: 'State of a job.',
  values: {
    ...BOTH,
    PENDING: {
      value: 'pending',
      description: 'The job waits for its scheduled time or for a worker.',
    },
  } as const satisfies EnumValues<JobStatus>,
});

/** The phases of a job: finer than its states. */
export const JobPhaseEnum = builder.enumType('JobPhase', {
  description:
    'Phase of a job: finer than its state. It tells why a pending job waits, and whether a running job has been asked to stop.',
  values: {
    ...BOTH,
    SCHEDULED: { value: 'scheduled', description: 'The job waits for its scheduled time.' },
    QUEUED: { value: 'queued', description: 'The job is due and waits for a worker.' },
    RETRYING: { value: 'retrying', description: 'The job failed and waits for its next run.' },
    CANCELLING: {
      value: 'cancelling',
      description: 'A worker is running the job and has been asked to stop.',
    },
  } as const satisfies EnumValues<JobPhase>,
});
