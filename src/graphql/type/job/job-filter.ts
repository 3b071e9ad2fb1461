import type { JobFilter, JobOrder } from '../../../domain/job/list.ts';
import { JOB_STATUSES } from '../../../domain/job/state.ts';
import { builder } from '../../builder.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { DateTimeRange, OrderDirection, withoutNull } from '../filter.ts';

const [pending, running, paused, completed, errored, cancelled] = JOB_STATUSES;

/** The states of a job. */
export const JobStatusEnum = builder.enumType('JobStatus', {
  description: 'How far a job is.',
  values: {
    PENDING: { value: pending, description: 'Waits for its time and for a worker.' },
    RUNNING: { value: running, description: 'A worker is at it.' },
    PAUSED: { value: paused, description: 'Held until somebody resumes it.' },
    COMPLETED: { value: completed, description: 'Done.' },
    ERRORED: { value: errored, description: 'Failed, and is not tried again by itself.' },
    CANCELLED: { value: cancelled, description: 'Ended by somebody.' },
  } as const,
});

const JobFilterInput = builder.inputType('JobFilter', {
  description: 'What a list of jobs is narrowed to: all that is given must hold.',
  fields: (t) => ({
    statuses: t.field({ type: [JobStatusEnum], description: 'In one of these states.' }),
    jobClasses: t.stringList({ description: 'Of one of these classes, at most 200.' }),
    mediaId: t.id({ description: 'About this media.' }),
    unicity: t.string({ description: 'With exactly this `unicity`.' }),
    createdAt: t.field({ type: DateTimeRange, description: 'Made in this span.' }),
  }),
});

const JobOrderField = builder.enumType('JobOrderField', {
  description: 'What jobs can be ordered by.',
  values: {
    CREATED_AT: { value: 'created_at', description: 'When they were made.' },
    UPDATED_AT: { value: 'updated_at', description: 'When they last changed.' },
    SCHEDULED_AT: { value: 'scheduled_at', description: 'The time before which they do not run.' },
    PRIORITY: { value: 'priority', description: 'Their priority.' },
  } as const,
});

const JobOrderInput = builder.inputType('JobOrder', {
  description: 'The order of a list of jobs; those that are alike in it go by when they were made.',
  fields: (t) => ({
    field: t.field({ type: JobOrderField, required: true, description: 'What decides.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'asc',
      description: 'Which end comes first.',
    }),
  }),
});

/** The argument of everything that narrows jobs. */
export const jobFilterArg = builder.args((t) => ({
  filter: t.field({ type: JobFilterInput, description: 'Without: all.' }),
}));

/** Arguments of a list of jobs. */
export const jobListArgs = builder.args((t) => ({
  ...jobFilterArg,
  orderBy: t.field({ type: JobOrderInput, description: 'Without: the newest first.' }),
}));

/** The filter with database ids. Throws InvalidInputError for an id of something else. */
export function toJobFilter(filter?: typeof JobFilterInput.$inferInput | null): JobFilter {
  if (!filter) return {};
  const { mediaId, createdAt, ...rest } = filter;
  return {
    ...withoutNull(rest),
    mediaId: parseOptionalNodeId('Media', mediaId, 'mediaId'),
    createdAt: createdAt ? withoutNull(createdAt) : undefined,
  };
}

/** The order; newest first without one. */
export function toJobOrder(order?: typeof JobOrderInput.$inferInput | null): JobOrder | undefined {
  return order ? { field: order.field, descending: order.direction === 'desc' } : undefined;
}
