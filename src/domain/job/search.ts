import * as store from '../../store/job/search.ts';
import type { Context } from '../context.ts';
import type { Condition, FieldType, Part, Search } from '../search.ts';
import { authorize } from '../viewer/access.ts';
import { type Job, toJob } from './job.ts';

/** What jobs can be searched and ordered by. */
export type JobField = store.JobField;

/** Each field of a job, and what it holds. */
export const JOB_FIELDS: Readonly<Record<JobField, FieldType>> = store.JOB_COLUMNS;

/** A part of the jobs that all conditions let through. */
export async function searchJobs(ctx: Context, search: Search<JobField>): Promise<Part<Job>> {
  authorize(ctx, 'job.read');
  const { rows, hasMore } = await store.searchJobs(ctx.db, search);
  return { nodes: rows.map(toJob), hasMore };
}

/** How many jobs all conditions let through. */
export async function countMatchingJobs(
  ctx: Context,
  conditions: readonly Condition<JobField>[],
): Promise<number> {
  authorize(ctx, 'job.read');
  return store.countMatchingJobs(ctx.db, conditions);
}
