import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
} from '../../../domain/error.ts';
import type { IllegalSignalError, UnicityTakenError } from '../../../domain/job/conflict.ts';
import type { Job } from '../../../domain/job/job.ts';
import { signalJob } from '../../../domain/job/signal.ts';
import { allowedSignals, JOB_SIGNALS } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import { parseNodeId } from '../../id.ts';
import { JobRef } from './job.ts';
import { JobStatusEnum } from './job-filter.ts';

const [retry, runNow, reschedule, cancel, pause, resume, setPriority, discard] = JOB_SIGNALS;

const JobSignalEnum = builder.enumType('JobSignal', {
  description: 'What a job can be told.',
  values: {
    RETRY: { value: retry, description: 'Run once more what failed or was cancelled, now.' },
    RUN_NOW: { value: runNow, description: 'Run at once what waits or is held.' },
    RESCHEDULE: { value: reschedule, description: 'Run at another time; needs `at`.' },
    CANCEL: { value: cancel, description: 'End it for good; a run that goes on is told to stop.' },
    PAUSE: { value: pause, description: 'Hold what waits.' },
    RESUME: { value: resume, description: 'Let what is held wait for its turn again.' },
    SET_PRIORITY: { value: setPriority, description: 'Needs `priority`.' },
    DISCARD: { value: discard, description: 'Give up: it counts as failed, without more tries.' },
  } as const,
});

builder.objectField(JobRef, 'allowedSignals', (t) =>
  t.field({
    type: [JobSignalEnum],
    description: 'What it can be told in the state that it is in.',
    resolve: ({ status }) => [...allowedSignals(status)],
  }),
);

/**
 * A conflict with the details that it has if it is about a job. `instanceof` cannot tell: the errors plugin puts a
 * proxy around each error, whose class is that of the GraphQL type.
 */
type JobConflict = ConflictError &
  Partial<
    Pick<IllegalSignalError, 'status' | 'allowedSignals'> & Pick<UnicityTakenError, 'holder'>
  >;

builder.objectFields(ConflictError, (t) => ({
  jobStatus: t.field({
    type: JobStatusEnum,
    nullable: true,
    description: 'Of `ILLEGAL_SIGNAL`: the state that the job is in.',
    resolve: ({ status }: JobConflict) => status ?? null,
  }),
  allowedSignals: t.field({
    type: [JobSignalEnum],
    nullable: true,
    description: 'Of `ILLEGAL_SIGNAL`: what the job can be told instead.',
    resolve: ({ allowedSignals }: JobConflict) => (allowedSignals ? [...allowedSignals] : null),
  }),
  holderUuid: t.field({
    type: 'UUID',
    nullable: true,
    description: 'Of `ALREADY_EXISTS`: the job that has the `unicity`.',
    resolve: ({ holder }: JobConflict) => holder ?? null,
  }),
}));

const SignalJobInput = builder.inputType('SignalJobInput', {
  description: 'Input of `signalJob`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The job.' }),
    signal: t.field({ type: JobSignalEnum, required: true, description: 'What it is told.' }),
    at: t.field({ type: 'DateTime', description: 'Of `RESCHEDULE`: not before this.' }),
    priority: t.int({ description: 'Of `SET_PRIORITY`: the higher, the sooner.' }),
    reason: t.string({ description: 'Of `CANCEL` and `DISCARD`: why, at most 500 characters.' }),
  }),
});

const SignalJobSuccess = builder.objectRef<{ job: Job }>('SignalJobSuccess').implement({
  description: 'The job has been told, or was there already.',
  fields: (t) => ({
    job: t.expose('job', { type: JobRef, description: 'As it is then.' }),
  }),
});

builder.mutationField('signalJob', (t) =>
  t.field({
    type: SignalJobSuccess,
    errors: { types: [InvalidInputError, NotFoundError, ForbiddenError, ConflictError] },
    description:
      'Tells a job something; told again, the same changes nothing. Who started it may, and an admin. `ILLEGAL_SIGNAL`: it makes no sense in the state that the job is in.',
    args: { input: t.arg({ type: SignalJobInput, required: true, description: 'What.' }) },
    resolve: async (_root, { input: { id, ...signal } }, { domain }) => ({
      job: await signalJob(domain, parseNodeId('Job', id, 'id'), signal),
    }),
  }),
);
