import {
  attemptsByJobIds,
  deleteJob,
  findJob,
  type JobAttempt,
  jobsByIds,
} from '../../../domain/job/job.ts';
import { countJobs, countJobsOfEach, jobsOfEach, listJobs } from '../../../domain/job/list.ts';
import { phaseOf } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import { pageConnection } from '../../connection.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { parseNodeId } from '../../id.ts';
import { identifierInput, objectQuery } from '../../identifier.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { deletion } from '../../mutation.ts';
import { pricedByFilter } from '../../price.ts';
import { filteredList } from '../filter.ts';
import { MediaRef } from '../tree/media.ts';
import { jobListArgs, toJobFilter } from './job-filter.ts';
import { JobPhaseEnum, JobStatusEnum } from './job-status.ts';

/** A job. */
export const JobRef = builder.nodeRef('Job', nodeOptions(nodeLoader(jobsByIds)));

/** The connection of every list of jobs. */
export const JobConnection = builder.connectionObject({ type: JobRef, name: 'JobConnection' });

JobRef.implement({
  description:
    'A background job. The server runs it at least once, independently of any request. A viewer sees the jobs that it started and those for media that it may see; an admin without start nodes sees all jobs.',
  fields: (t) => ({
    ...expose(t, 'UUID', {
      uuid: 'UUID of the job, the same in GraphQL and in the REST dialects.',
    }),
    jobClass: t.exposeString('jobClass', {
      description: 'Name of the task that the job runs, such as `import-url`.',
    }),
    arguments: t.expose('arguments', {
      type: 'JSON',
      description:
        'Arguments of the task, an object. Its format depends on `jobClass`. URLs are without query, fragment and credentials. Empty unless the viewer started the job or is an admin.',
    }),
    ...expose(t, 'Int', {
      priority: 'Priority; 0 by default. Jobs with a higher number run first.',
      retryCount: 'Number of times the job has been retried after a failure.',
      maxRetries: 'Number of times the job may be retried after a failure.',
    }),
    status: t.expose('status', { type: JobStatusEnum, description: 'State of the job.' }),
    progress: t.exposeFloat('progress', {
      description:
        'Progress of the job, from 0 to 1. It is 0 again while the job waits for a retry, and after it has failed; `result` keeps what the job has done.',
    }),
    ...exposeNullable(t, 'String', {
      error: 'Error message of the last failed run. Null if no run has failed.',
      unicity:
        'Uniqueness key. At most one unfinished job can have a given key. Null if the job has no key, and unless the viewer started the job or is an admin.',
      startedBy:
        '`Viewer.id` of the viewer who created the job. Null if the server itself created it.',
    }),
    ...expose(t, 'DateTime', {
      scheduledAt: 'Scheduled time. The job does not run before it.',
      createdAt: 'Time at which the job was created.',
      updatedAt: 'Time of the last change.',
    }),
  }),
});

const attempts = listLoader(attemptsByJobIds);

const JobAttemptRef = builder.objectRef<JobAttempt>('JobAttempt').implement({
  description: 'One run of a job.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'Number of the run, starting at 1.' }),
    worker: t.exposeString('worker', { description: 'Name of the worker that ran the job.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      description: 'Time at which the run started.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'Time at which the run ended. Null if it is still running or its worker was lost.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Error message of the run. Null if it did not fail.',
    }),
  }),
});

builder.objectFields(JobRef, (t) => ({
  phase: t.field({
    type: JobPhaseEnum,
    description: 'Phase of the job: its `status`, and for a pending job the reason why it waits.',
    resolve: (job, _args, { domain }) => phaseOf(job, domain.clock()),
  }),
  ...exposeNullable(t, 'DateTime', {
    startedAt: 'Time at which the last run started. Null if the job has never run.',
    finishedAt:
      'Time at which the job completed, failed for good or was cancelled. Null until then.',
    heartbeatAt:
      'Time at which the worker last reported that it is alive. Null if the job is not running.',
    cancelRequestedAt: 'Time at which the cancellation was requested. Null if it was not.',
  }),
  ...exposeNullable(t, 'String', {
    worker:
      'Name of the worker that runs the job, or that ran it last. Null if the job has never run.',
    cancelReason: 'Reason given for the cancellation. Null if none was given.',
  }),
  result: t.expose('result', {
    type: 'JSON',
    nullable: true,
    description: 'Result of the task. Its format depends on `jobClass`. Null if there is none.',
  }),
  attempts: t.field({
    type: [JobAttemptRef],
    description: 'Runs of the job, oldest first.',
    resolve: ({ id }, _args, context) => attempts(context).load(id),
  }),
}));

const JobBy = identifierInput('JobBy', 'job', (t) => ({
  uuid: t.field({ type: 'UUID', description: 'UUID of the job.' }),
}));

objectQuery('job', {
  type: JobRef,
  by: JobBy,
  noun: 'job',
  description:
    'Returns a job; null if it does not exist or the viewer may not see it. Fails with `NOT_AUTHENTICATED` without a credential.',
  find: (domain, by) =>
    findJob(
      domain,
      typeof by.id === 'string' ? { id: parseNodeId('Job', by.id, 'id') } : { uuid: by.uuid ?? '' },
    ),
});

builder.queryField('jobs', (t) =>
  t.connection(
    {
      type: JobRef,
      ...pricedByFilter(),
      description:
        'Lists the jobs that the viewer may see, newest first by default. Fails with `NOT_AUTHENTICATED` without a credential.',
      args: jobListArgs,
      resolve: filteredList({ toFilter: toJobFilter, list: listJobs, count: countJobs }),
    },
    JobConnection,
  ),
);

builder.objectField(MediaRef, 'jobs', (t) =>
  t.connection(
    {
      type: JobRef,
      description:
        'Jobs for this media item, newest first. Fails with `NOT_AUTHENTICATED` without a credential.',
      ...pageConnection(jobsOfEach, countJobsOfEach),
    },
    JobConnection,
  ),
);

deletion('deleteJob', {
  description:
    'Deletes a job in any state, with the log of its runs. A running job is told to stop. Requires the role `ADMIN`.',
  type: 'Job',
  noun: 'job',
  run: deleteJob,
});
