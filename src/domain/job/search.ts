import type { FieldType, Part } from '../../lib/search.ts';
import * as store from '../../store/job/search.ts';
import type { Context } from '../context.ts';
import { type CountedSearch, inStoredSpelling, searchPart } from '../search.ts';
import { authorize, jobSightOf } from '../viewer/access.ts';
import { type Job, toShownJob } from './job.ts';

/** The fields that jobs can be searched and ordered by. */
export const JOB_FIELDS: Readonly<Record<store.JobField, FieldType>> = store.JOB_COLUMNS;
export type JobField = store.JobField;

/**
 * Returns a part of the jobs that match all conditions and that the viewer may see, and their count if `isCounted`.
 * Throws InvalidInputError.
 */
export async function searchJobs(
  ctx: Context,
  search: CountedSearch<JobField>,
): Promise<Part<Job>> {
  authorize(ctx, 'job.read');
  const sight = jobSightOf(ctx);
  const conditions = inStoredSpelling(search.conditions, ['unicity']);
  return searchPart(
    { ...search, conditions },
    {
      find: (part) => store.searchJobs(ctx.db, sight, part),
      count: (conditions) => store.countMatchingJobs(ctx.db, sight, conditions),
      convert: (row) => toShownJob(ctx, row),
    },
  );
}
