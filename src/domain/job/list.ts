import { type Keyset, keysetBy } from '../../store/cursor.ts';
import { countJobsOfEach as countOfEach, listJobsOfEach } from '../../store/job/group.ts';
import * as store from '../../store/job/job.ts';
import type { Context } from '../context.ts';
import { type Page, type PageArgs, parsePageArgs, toPage, toPages } from '../page.ts';
import { checkFilter } from '../search.ts';
import { authorize, jobSightOf } from '../viewer/access.ts';
import { type Job, toShownJob } from './job.ts';
import type { JobStatus } from './state.ts';

/** Filter of a list of jobs. A job must match every field that is set. */
export interface JobFilter {
  /** Statuses to include. */
  statuses?: readonly JobStatus[] | undefined;
  /** Job classes to include. */
  jobClasses?: readonly string[] | undefined;
  mediaId?: number | undefined;
  unicity?: string | undefined;
  /** Range of creation times, both ends included. */
  createdAt?: { from?: Date | undefined; to?: Date | undefined } | undefined;
}

/** Order of a list of jobs. `id` is the order of creation. */
export interface JobOrder {
  field: 'id' | 'created_at' | 'updated_at' | 'scheduled_at' | 'priority';
  descending: boolean;
}

/** The default order. */
const NEWEST_FIRST: JobOrder = { field: 'id', descending: true };

/** Returns a page of the jobs that the viewer may see. Throws InvalidInputError for an invalid filter or page. */
export async function listJobs(
  ctx: Context,
  args: PageArgs,
  filter: JobFilter = {},
  order: JobOrder = NEWEST_FIRST,
): Promise<Page<Job>> {
  authorize(ctx, 'job.read');
  const keyset = toKeyset(order);
  const request = parsePageArgs(args, keyset);
  const rows = await store.listJobs(ctx.db, jobSightOf(ctx), toStored(filter), keyset, request);
  return toPage(rows, keyset, request, (row) => toShownJob(ctx, row));
}

/** Returns the number of jobs that the viewer may see and that match the filter. Throws InvalidInputError for an invalid filter. */
export async function countJobs(ctx: Context, filter: JobFilter = {}): Promise<number> {
  authorize(ctx, 'job.read');
  return store.countJobs(ctx.db, jobSightOf(ctx), toStored(filter));
}

/** Returns the job, or null if none exists that the viewer may see and that matches the filter. */
export async function findMatchingJob(
  ctx: Context,
  id: number,
  filter: JobFilter,
): Promise<Job | null> {
  authorize(ctx, 'job.read');
  const matching = { ...toStored(filter), ids: [id] };
  const [row] = await store.findJobs(ctx.db, jobSightOf(ctx), matching);
  return row === undefined ? null : toShownJob(ctx, row);
}

/**
 * Returns one page of jobs for each media item, newest first, with one statement for all of them. The viewer must be
 * allowed to see the media. Throws InvalidInputError for an invalid page.
 */
export async function jobsOfEach(
  ctx: Context,
  mediaIds: readonly number[],
  args: PageArgs,
): Promise<Map<number, Page<Job>>> {
  authorize(ctx, 'job.read');
  const keyset = toKeyset(NEWEST_FIRST);
  const request = parsePageArgs(args, keyset);
  const rows = await listJobsOfEach(ctx.db, mediaIds, keyset, request);
  return toPages(rows, keyset, request, (row) => toShownJob(ctx, row));
}

/** Returns the number of jobs of each media item. Media without jobs are not in the map. */
export async function countJobsOfEach(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  authorize(ctx, 'job.read');
  return countOfEach(ctx.db, mediaIds);
}

/** Converts a filter to the store's filter. Throws InvalidInputError if a field has too many values. */
export function toStored({ createdAt, ...filter }: JobFilter): store.JobFilter {
  checkFilter(filter);
  return {
    ...filter,
    createdFrom: createdAt?.from?.getTime(),
    createdTo: createdAt?.to?.getTime(),
  };
}

function toKeyset({ field, descending }: JobOrder): Keyset {
  const name = `jobs by ${field}${descending ? ', last first' : ''}`;
  return keysetBy(name, { name: field, type: 'number' }, descending);
}
