import type { Keyset } from '../../store/cursor.ts';
import { countJobsOfEach as countOfEach, listJobsOfEach } from '../../store/job/group.ts';
import * as store from '../../store/job/job.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { type Page, type PageArgs, parsePageArgs, toPage, toPages } from '../page.ts';
import { authorize } from '../viewer/access.ts';
import { type Job, toJob } from './job.ts';
import type { JobStatus } from './state.ts';

/** What a list of jobs is narrowed to: all that is given must hold. */
export interface JobFilter {
  /** One of these. */
  statuses?: readonly JobStatus[] | undefined;
  /** One of these. */
  jobClasses?: readonly string[] | undefined;
  mediaId?: number | undefined;
  unicity?: string | undefined;
  /** Both ends included. */
  createdAt?: { from?: Date | undefined; to?: Date | undefined } | undefined;
}

/** What a list of jobs can be ordered by; `id` is the order in which they were made. */
export interface JobOrder {
  field: 'id' | 'created_at' | 'updated_at' | 'scheduled_at' | 'priority';
  descending: boolean;
}

/** The newest first. */
const NEWEST_FIRST: JobOrder = { field: 'id', descending: true };

/** Lists take at most so many values in one field of a filter. */
const VALUES_MAX = 200;

/** A page of jobs. Throws InvalidInputError for filter and page. */
export async function listJobs(
  ctx: Context,
  args: PageArgs,
  filter: JobFilter = {},
  order: JobOrder = NEWEST_FIRST,
): Promise<Page<Job>> {
  authorize(ctx, 'job.read');
  const keyset = toKeyset(order);
  const request = parsePageArgs(args, keyset);
  const rows = await store.listJobs(ctx.db, toStored(filter), keyset, request);
  return toPage(rows, keyset, request, toJob);
}

/** How many jobs the filter lets through. Throws InvalidInputError. */
export async function countJobs(ctx: Context, filter: JobFilter = {}): Promise<number> {
  authorize(ctx, 'job.read');
  return store.countJobs(ctx.db, toStored(filter));
}

/** The job, or null if it is not there or the filter does not let it through. */
export async function findMatchingJob(
  ctx: Context,
  id: number,
  filter: JobFilter,
): Promise<Job | null> {
  authorize(ctx, 'job.read');
  const [row] = await store.findJobs(ctx.db, { ...toStored(filter), ids: [id] });
  return row === undefined ? null : toJob(row);
}

/** The same page of the jobs of each of many media, the newest first, in one statement. */
export async function jobsOfEach(
  ctx: Context,
  mediaIds: readonly number[],
  args: PageArgs,
): Promise<Map<number, Page<Job>>> {
  authorize(ctx, 'job.read');
  const keyset = toKeyset(NEWEST_FIRST);
  const request = parsePageArgs(args, keyset);
  const rows = await listJobsOfEach(ctx.db, mediaIds, keyset, request);
  return toPages(rows, keyset, request, toJob);
}

/** How many jobs each media has; one without any has no entry. */
export async function countJobsOfEach(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  authorize(ctx, 'job.read');
  return countOfEach(ctx.db, mediaIds);
}

/** The filter as the store has it. Throws InvalidInputError. */
export function toStored({ createdAt, ...filter }: JobFilter): store.JobFilter {
  const { statuses, jobClasses } = filter;
  for (const [field, values] of Object.entries({ statuses, jobClasses })) {
    if (values === undefined || values.length <= VALUES_MAX) continue;
    throw InvalidInputError.of(field, 'TOO_BIG', `At most ${VALUES_MAX} values.`);
  }
  return {
    ...filter,
    createdFrom: createdAt?.from?.getTime(),
    createdTo: createdAt?.to?.getTime(),
  };
}

function toKeyset({ field, descending }: JobOrder): Keyset {
  const id = { name: 'id', type: 'number' } as const;
  return {
    name: `jobs by ${field}${descending ? ', last first' : ''}`,
    columns: field === 'id' ? [id] : [{ name: field, type: 'number' }, id],
    descending,
  };
}
