import { ConflictError, NotFoundError } from '../../../domain/error.ts';
import type { IllegalSignalError, UnicityTakenError } from '../../../domain/job/conflict.ts';
import { signalJob } from '../../../domain/job/signal.ts';
import { allowedSignals, type JobSignal } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import { enumOf } from '../../enum.ts';
import { parseNodeId } from '../../id.ts';
import { mutation } from '../../mutation.ts';
import { JobRef } from './job.ts';
import { JobStatusEnum } from './job-status.ts';

const JobSignalEnum = enumOf<JobSignal>('JobSignal', 'A signal that controls a job.', {
  retry: 'Runs a failed or cancelled job again as soon as a worker is free.',
  run_now: 'Runs a pending or paused job as soon as a worker is free.',
  reschedule:
    'Changes the scheduled time of a job that is neither running nor completed. A failed or cancelled job runs again at that time. Requires `at`.',
  cancel:
    'Cancels a pending, paused or running job. A running job is asked to stop. A cancelled job can be started again with `RETRY`.',
  pause: 'Holds a pending job until it receives the signal `RESUME`.',
  resume: 'Returns a paused job to the queue.',
  set_priority: 'Changes the priority of a pending or paused job. Requires `priority`.',
  discard: 'Marks a pending or failed job as failed. It is not retried automatically.',
});

builder.objectField(JobRef, 'allowedSignals', (t) =>
  t.field({
    type: [JobSignalEnum],
    description: 'Signals that the job accepts in its current state.',
    resolve: ({ status }) => [...allowedSignals(status)],
  }),
);

/**
 * A ConflictError, with the details of an IllegalSignalError or a UnicityTakenError if it is one. `instanceof` cannot
 * detect these: the errors plugin wraps each error in a proxy whose class is that of the GraphQL type.
 */
type JobConflict = ConflictError &
  Partial<
    Pick<IllegalSignalError, 'status' | 'allowedSignals'> & Pick<UnicityTakenError, 'holder'>
  >;

builder.objectFields(ConflictError, (t) => ({
  jobStatus: t.field({
    type: JobStatusEnum,
    nullable: true,
    description: 'Current state of the job. Null unless `code` is `ILLEGAL_SIGNAL`.',
    resolve: ({ status }: JobConflict) => status ?? null,
  }),
  allowedSignals: t.field({
    type: [JobSignalEnum],
    nullable: true,
    description:
      'Signals that the job accepts in its current state. Null unless `code` is `ILLEGAL_SIGNAL`.',
    resolve: ({ allowedSignals }: JobConflict) => (allowedSignals ? [...allowedSignals] : null),
  }),
  holderUuid: t.field({
    type: 'UUID',
    nullable: true,
    description:
      'UUID of the unfinished job that has the same `unicity`. Null unless `code` is `ALREADY_EXISTS`, and if the viewer may not see that job.',
    resolve: ({ holder }: JobConflict) => holder ?? null,
  }),
}));

mutation('signalJob', {
  description:
    'Sends a signal to a job. Sending the same signal again has no further effect. Returns a `ConflictError` with the code `ILLEGAL_SIGNAL` if the job does not accept the signal in its current state. Requires the role `EDITOR` if the viewer created the job, and `ADMIN` otherwise.',
  errors: [NotFoundError, ConflictError],
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the job.' }),
    signal: t.field({ type: JobSignalEnum, required: true, description: 'The signal to send.' }),
    at: t.field({
      type: 'DateTime',
      description: 'For `RESCHEDULE`: the new scheduled time. Ignored for other signals.',
    }),
    priority: t.int({
      description:
        'For `SET_PRIORITY`: the new priority. Jobs with a higher number run first. Ignored for other signals.',
    }),
    reason: t.string({
      description:
        'For `CANCEL` and `DISCARD`: the reason, at most 500 characters. Ignored for other signals.',
    }),
  }),
  success: { field: 'job', type: JobRef, description: 'The job after the signal.' },
  resolve: (domain, { id, ...signal }) => signalJob(domain, parseNodeId('Job', id, 'id'), signal),
});
