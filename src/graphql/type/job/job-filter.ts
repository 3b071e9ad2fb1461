import type { JobFilter, JobOrder } from '../../../domain/job/list.ts';
import { builder } from '../../builder.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { DateTimeRange, orderInput, withoutNull } from '../filter.ts';
import { JobStatusEnum } from './job-status.ts';

const JobFilterInput = builder.inputType('JobFilter', {
  description: 'Filter for a list of jobs. A job must match every given field.',
  fields: (t) => ({
    statuses: t.field({
      type: [JobStatusEnum],
      description: 'Matches jobs in one of these states.',
    }),
    jobClasses: t.stringList({
      description: 'Matches jobs of one of these classes, at most 200.',
    }),
    mediaId: t.id({ description: 'Matches jobs for the media item with this global id.' }),
    unicity: t.string({
      description: 'Matches jobs with exactly this uniqueness key, if the viewer may read it.',
    }),
    createdAt: t.field({
      type: DateTimeRange,
      description: 'Matches jobs created in this span of time.',
    }),
  }),
});

const JobOrderInput = orderInput<Exclude<JobOrder['field'], 'id'>>(
  'Job',
  'jobs',
  'Ties are broken by creation time.',
  {
    created_at: 'Orders by creation time.',
    updated_at: 'Orders by the time of the last change.',
    scheduled_at: 'Orders by scheduled time.',
    priority: 'Orders by priority.',
  },
);

/** The `filter` argument of every field that returns a selection of jobs. */
export const jobFilterArg = builder.args((t) => ({
  filter: t.field({
    type: JobFilterInput,
    description: 'Limits the result to jobs that match this filter. Omit it for all jobs.',
  }),
}));

/** Arguments of a list of jobs. */
export const jobListArgs = builder.args((t) => ({
  ...jobFilterArg,
  orderBy: t.field({
    type: JobOrderInput,
    description: 'Order of the list. Defaults to newest first.',
  }),
}));

/** Returns the filter with database ids. Throws InvalidInputError for an id of another type. */
export function toJobFilter(filter?: typeof JobFilterInput.$inferInput | null): JobFilter {
  if (!filter) return {};
  const { mediaId, createdAt, ...rest } = filter;
  return {
    ...withoutNull(rest),
    mediaId: parseOptionalNodeId('Media', mediaId, 'mediaId'),
    createdAt: createdAt ? withoutNull(createdAt) : undefined,
  };
}
