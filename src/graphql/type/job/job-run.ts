import { attemptsByJobIds, type JobAttempt } from '../../../domain/job/job.ts';
import { type JobPhase, phaseOf } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import { groupLoader } from '../../loader.ts';
import { JobRef } from './job.ts';

const JobPhaseEnum = builder.enumType('JobPhase', {
  description: 'How far a job is, and what it waits for.',
  values: {
    SCHEDULED: { value: 'scheduled', description: 'Waits for its time.' },
    QUEUED: { value: 'queued', description: 'Is due, and waits for a worker.' },
    RETRYING: { value: 'retrying', description: 'Has failed, and waits for its next try.' },
    RUNNING: { value: 'running', description: 'A worker is at it.' },
    CANCELLING: { value: 'cancelling', description: 'A worker is at it, and is told to stop.' },
    PAUSED: { value: 'paused', description: 'Held until somebody resumes it.' },
    COMPLETED: { value: 'completed', description: 'Done.' },
    ERRORED: { value: 'errored', description: 'Failed, and is not tried again by itself.' },
    CANCELLED: { value: 'cancelled', description: 'Ended by somebody.' },
  } as const satisfies Record<string, { value: JobPhase; description: string }>,
});

const attempts = groupLoader(({ domain }, jobIds, _args: null) => attemptsByJobIds(domain, jobIds));

const JobAttemptRef = builder.objectRef<JobAttempt>('JobAttempt').implement({
  description: 'One run of a job.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 is the first.' }),
    worker: t.exposeString('worker', { description: 'Who ran it.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null: it has not, or its worker is lost.',
    }),
    error: t.exposeString('error', { nullable: true, description: 'Why it failed.' }),
  }),
});

builder.objectFields(JobRef, (t) => ({
  phase: t.field({
    type: JobPhaseEnum,
    description: 'Its `status`, and what it waits for.',
    resolve: (job, _args, { domain }) => phaseOf(job, domain.clock()),
  }),
  startedAt: t.expose('startedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When its last run began.',
  }),
  finishedAt: t.expose('finishedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When it was over; null: it is not.',
  }),
  worker: t.exposeString('worker', {
    nullable: true,
    description: 'Who runs it, or ran it last; null: nobody has.',
  }),
  heartbeatAt: t.expose('heartbeatAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When its worker was last heard of; null: it is not running.',
  }),
  cancelRequestedAt: t.expose('cancelRequestedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When somebody asked for its end; null: nobody has.',
  }),
  cancelReason: t.exposeString('cancelReason', { nullable: true, description: 'Why.' }),
  result: t.expose('result', {
    type: 'JSON',
    nullable: true,
    description: 'What came of it; as its class has it.',
  }),
  attempts: t.field({
    type: [JobAttemptRef],
    description: 'Its runs, the first first.',
    resolve: async ({ id }, _args, context) => (await attempts(context, id, null)) ?? [],
  }),
}));
