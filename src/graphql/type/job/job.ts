import { findJob, jobsByIds } from '../../../domain/job/job.ts';
import { countJobs, countJobsOfEach, jobsOfEach, listJobs } from '../../../domain/job/list.ts';
import type { PageArgs } from '../../../domain/page.ts';
import { builder } from '../../builder.ts';
import { toConnection, toGroupConnection } from '../../connection.ts';
import { parseNodeId } from '../../id.ts';
import { groupLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { MediaRef } from '../tree/media.ts';
import { JobStatusEnum, jobListArgs, toJobFilter, toJobOrder } from './job-filter.ts';

/** A job. */
export const JobRef = builder.nodeRef('Job', nodeOptions(nodeLoader(jobsByIds)));

/** The connection of every list of jobs. */
export const JobConnection = builder.connectionObject({ type: JobRef, name: 'JobConnection' });

JobRef.implement({
  description:
    'Work that is done at least once, outside of any request. Whoever has a credential may see it.',
  fields: (t) => ({
    uuid: t.expose('uuid', { type: 'UUID', description: 'The same on every road.' }),
    jobClass: t.exposeString('jobClass', { description: 'What is to be done: `delete-blob`.' }),
    arguments: t.expose('arguments', {
      type: 'JSON',
      description: 'To what; as its class has it.',
    }),
    priority: t.exposeInt('priority', { description: 'The higher, the sooner.' }),
    status: t.expose('status', { type: JobStatusEnum, description: 'How far it is.' }),
    progress: t.exposeFloat('progress', { description: '0 to 1.' }),
    retryCount: t.exposeInt('retryCount', { description: 'How often it was tried again.' }),
    maxRetries: t.exposeInt('maxRetries', { description: 'How often it may be tried again.' }),
    error: t.exposeString('error', { nullable: true, description: 'Why its last run failed.' }),
    unicity: t.exposeString('unicity', {
      nullable: true,
      description: 'No two jobs that are not over have the same; null: any number may be.',
    }),
    scheduledAt: t.expose('scheduledAt', { type: 'DateTime', description: 'Not before this.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
    startedBy: t.exposeString('startedBy', {
      nullable: true,
      description: '`Viewer.id` of who started it; null: the server itself.',
    }),
  }),
});

const JobBy = builder.inputType('JobBy', {
  description: 'Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id.' }),
    uuid: t.field({ type: 'UUID', description: 'Its UUID.' }),
  }),
});

builder.queryFields((t) => ({
  job: t.field({
    type: JobRef,
    nullable: true,
    description: 'A job; null if it is not there. Needs a credential: else `NOT_AUTHENTICATED`.',
    args: { by: t.arg({ type: JobBy, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, { domain }) =>
      findJob(
        domain,
        typeof by.id === 'string'
          ? { id: parseNodeId('Job', by.id, 'id') }
          : { uuid: by.uuid ?? '' },
      ),
  }),
  jobs: t.connection(
    {
      type: JobRef,
      description:
        'Jobs; newest first and 50 a page unless asked otherwise, at most 200. Needs a credential: else `NOT_AUTHENTICATED`.',
      args: jobListArgs,
      resolve: async (_root, { filter, orderBy, ...page }, { domain }) => {
        const narrowed = toJobFilter(filter);
        return toConnection(await listJobs(domain, page, narrowed, toJobOrder(orderBy)), () =>
          countJobs(domain, narrowed),
        );
      },
    },
    JobConnection,
  ),
}));

const mediaJobs = groupLoader(({ domain }, mediaIds, page: PageArgs) =>
  jobsOfEach(domain, mediaIds, page),
);
const mediaJobCounts = groupLoader(({ domain }, mediaIds, _args: null) =>
  countJobsOfEach(domain, mediaIds),
);

builder.objectField(MediaRef, 'jobs', (t) =>
  t.connection(
    {
      type: JobRef,
      description: 'Work on it, the newest first. Needs a credential: else `NOT_AUTHENTICATED`.',
      resolve: ({ id }, page, context) =>
        toGroupConnection(mediaJobs(context, id, page), () => mediaJobCounts(context, id, null)),
    },
    JobConnection,
  ),
);
