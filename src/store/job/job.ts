import { sql } from 'kysely';
import type { Condition } from '../../lib/search.ts';
import type { Keyset, PageRequest, RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { updatesRow } from '../result.ts';
import type { JobAttemptRow, JobChange, JobRow, NewJobRow } from '../table.ts';
import { countMatchingJobs, type ListedJobField, pageJobs, selectJobs } from './search.ts';

/** The filter of a list of jobs: a job has to match every given field. */
export interface JobFilter {
  ids?: readonly number[] | undefined;
  uuids?: readonly string[] | undefined;
  statuses?: readonly string[] | undefined;
  jobClasses?: readonly string[] | undefined;
  mediaId?: number | undefined;
  unicity?: string | undefined;
  /** Milliseconds since 1970, both ends included. */
  createdFrom?: number | undefined;
  createdTo?: number | undefined;
}

/** Returns the row as stored. A `unicity` that another open job has is a unique violation. */
export function insertJob(db: Db, job: NewJobRow): Promise<JobRow> {
  return db.insertInto('job').values(job).returningAll().executeTakeFirstOrThrow();
}

/** Returns the row as stored, or undefined if another open job has the same `unicity`. */
export function insertJobOnce(db: Db, job: NewJobRow): Promise<JobRow | undefined> {
  return db
    .insertInto('job')
    .values(job)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Returns the open job with this `unicity`. */
export function findOpenJobByUnicity(db: Db, unicity: string): Promise<JobRow | undefined> {
  return (
    db
      .selectFrom('job')
      .where('unicity', '=', unicity)
      // Written as in the index: SQLite does not recognize the condition in parameters.
      .where(sql<boolean>`status in ('pending', 'running', 'paused')`)
      .selectAll()
      .executeTakeFirst()
  );
}

/** Sets columns of a job if it still has this status; returns whether it had. */
export function updateJobIn(
  db: Db,
  { id, status }: Pick<JobRow, 'id' | 'status'>,
  columns: JobChange,
): Promise<boolean> {
  return updatesRow(
    db.updateTable('job').set(columns).where('id', '=', id).where('status', '=', status),
  );
}

/** Sets the media item that a job is about. */
export async function updateJobMedia(db: Db, id: number, mediaId: number): Promise<void> {
  await db.updateTable('job').set({ media_id: mediaId }).where('id', '=', id).execute();
}

/** Returns the jobs with these ids or uuids that match the filter, unordered. */
export async function findJobs(
  db: Db,
  filter: JobFilter & ({ ids: readonly number[] } | { uuids: readonly string[] }),
): Promise<JobRow[]> {
  const limit = (filter.ids ?? filter.uuids ?? []).length;
  return selectJobs(db, conditionsOf(filter), { order: [], limit, offset: 0 });
}

/** Returns one page of the jobs that match the filter. */
export function listJobs(
  db: Db,
  filter: JobFilter,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<JobRow>> {
  return pageJobs(db, conditionsOf(filter), keyset, page);
}

/** Returns the number of jobs that match the filter. */
export function countJobs(db: Db, filter: JobFilter): Promise<number> {
  return countMatchingJobs(db, conditionsOf(filter));
}

/** Returns the runs of many jobs, oldest first. */
export function listAttemptsByJobIds(db: Db, jobIds: readonly number[]): Promise<JobAttemptRow[]> {
  return db
    .selectFrom('job_attempt')
    .where(isAnyOf(db, 'job_id', jobIds))
    .orderBy('job_id')
    .orderBy('number')
    .selectAll()
    .execute();
}

/** Deletes a job and its runs. Returns false if it does not exist. */
export async function deleteJob(db: Db, id: number): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('job').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

function conditionsOf(filter: JobFilter): Condition<ListedJobField>[] {
  const { ids, uuids, statuses, jobClasses, mediaId, unicity, createdFrom, createdTo } = filter;
  const lists = { id: ids, uuid: uuids, status: statuses, job_class: jobClasses };
  const values = { media_id: mediaId, unicity };
  const bounds = { '>=': createdFrom, '<=': createdTo };
  const entries = <Key extends string, Value>(fields: Record<Key, Value | undefined>) =>
    Object.entries(fields).filter(([, value]) => value !== undefined) as [Key, Value][];
  return [
    ...entries(lists).map(([field, values]) => ({ field, test: 'any' as const, values })),
    ...entries(values).map(([field, value]) => ({ field, test: 'any' as const, values: [value] })),
    ...entries(bounds).map(([test, value]) => ({ field: 'created_at' as const, test, value })),
  ];
}
