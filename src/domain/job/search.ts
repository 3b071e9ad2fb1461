import * as store from '../../store/job/search.ts';
import type { Context } from '../context.ts';
import type { Condition, FieldType, Part, Search } from '../search.ts';
import { authorize } from '../viewer/access.ts';
import { type Job, toJob } from './job.ts';

/** A field that jobs can be searched and ordered by. */
export type JobField = store.JobField;

/** The type of each field. */
export const JOB_FIELDS: Readonly<Record<JobField, FieldType>> = store.JOB_COLUMNS;

/** Returns one part of the jobs that match all conditions. */
export async function searchJobs(ctx: Context, search: Search<JobField>): Promise<Part<Job>> {
  authorize(ctx, 'job.read');
  const { rows, hasMore } = await store.searchJobs(ctx.db, search);
  return { nodes: rows.map(toJob), hasMore };
}

/** Returns how many jobs match all conditions. */
export async function countMatchingJobs(
  ctx: Context,
  conditions: readonly Condition<JobField>[],
): Promise<number> {
  authorize(ctx, 'job.read');
  return store.countMatchingJobs(ctx.db, conditions);
}
