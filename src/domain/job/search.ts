import type { FieldType, Part, Search } from '../../lib/search.ts';
import * as store from '../../store/job/search.ts';
import type { Context } from '../context.ts';
import { checkConditions } from '../search.ts';
import { authorize } from '../viewer/access.ts';
import { type Job, toJob } from './job.ts';

/** The fields that jobs can be searched and ordered by. */
export const JOB_FIELDS: Readonly<Record<store.JobField, FieldType>> = store.JOB_COLUMNS;
export type JobField = store.JobField;

/** Returns a part of the jobs that match all conditions, and their count if `isCounted`. Throws InvalidInputError. */
export async function searchJobs(
  ctx: Context,
  { isCounted, ...search }: Search<JobField> & { isCounted: boolean },
): Promise<Part<Job>> {
  authorize(ctx, 'job.read');
  checkConditions(search.conditions);
  const { rows, hasMore } = await store.searchJobs(ctx.db, search);
  const count = isCounted ? await store.countMatchingJobs(ctx.db, search.conditions) : null;
  return { nodes: rows.map(toJob), hasMore, count };
}
