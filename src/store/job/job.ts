import { sql } from 'kysely';
import type { Condition } from '../../lib/search.ts';
import type { Keyset, PageRequest, RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, withId } from '../dialect.ts';
import { inline } from '../inline.ts';
import { insertion } from '../prepared.ts';
import { onlyRow, updatesRow } from '../result.ts';
import type { JobAttemptRow, JobChange, JobRow, NewJobRow } from '../table.ts';
import { countMatchingJobs, type ListedJobField, pageJobs } from './search.ts';
import { isJobInSight, type JobSight } from './sight.ts';

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

/**
 * Returns the row as stored. A `unicity` that another open job has is a unique violation.
 *
 * The jobs of a class run in the order of their turns. A client's first waiting job gets the turn of the next job to
 * run; each further job gets the turn after the client's last one. So clients alternate, however many jobs one of them
 * has. All jobs of the server itself get the turn of the next job to run. A claim therefore reads one entry of an
 * index, and counts nothing.
 */
export async function insertJob(db: Db, job: NewJobRow): Promise<JobRow> {
  return onlyRow(await returningJobInsertion(db, job));
}

const returningJobInsertion = insertion<NewJobRow, JobRow>((db, job) =>
  db.insertInto('job').values(withTurn(job)).returningAll(),
);

/** A job about a media item that the same transaction inserts. */
export interface NewMediaJobRow extends Omit<NewJobRow, 'media_id'> {
  media_uuid: string;
}

/**
 * The insertion of a job as `insertJob` runs it; `insertedId` tells its id. SQLite would compile it anew at each run if
 * it had a `returning`: 150 µs instead of 20.
 */
export const jobInsertion = insertion<NewMediaJobRow, { id: number }>((db, job) => {
  const { media_uuid, ...columns } = job;
  const media_id = sql<number>`(select id from media where uuid = ${media_uuid})`;
  return withId(db, db.insertInto('job').values({ ...withTurn(columns), media_id }));
});

/** Returns the row as stored, or undefined if another open job has the same `unicity`. */
export function insertJobOnce(db: Db, job: NewJobRow): Promise<JobRow | undefined> {
  return db
    .insertInto('job')
    .values(withTurn(job))
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

function withTurn(job: NewJobRow) {
  const { job_class, created_at } = job;
  const client = job.client ?? '';
  const waiting = sql`status = 'pending' and job_class = ${job_class}`;
  const turn = sql<number>`(select coalesce(max(turn), 0) from (
    select turn from (select turn from job where ${waiting} and scheduled_at <= ${created_at}
      order by priority desc, turn, scheduled_at, id limit 1) next
    union all select max(turn) + 1 from job where ${waiting} and client = ${client} and client <> '') turns)`;
  return { ...job, turn };
}

/** Returns the open job with this `unicity`. */
export function findOpenJobByUnicity(db: Db, unicity: string): Promise<JobRow | undefined> {
  return (
    inline(db)
      .selectFrom('job')
      .where('unicity', '=', unicity)
      // Written as in the index: SQLite does not recognize the condition in parameters.
      .where(sql<boolean>`status in ('pending', 'running', 'paused')`)
      .selectAll()
      .executeTakeFirst()
  );
}

/** Tells whether a job with this `unicity` is open, or has failed and is not forgotten. */
export async function hasOpenOrErroredJob(db: Db, unicity: string): Promise<boolean> {
  const job = await inline(db)
    .selectFrom('job')
    // Written as in the index.
    .where(sql<boolean>`(unicity || '') = ${unicity}`)
    .where('status', 'not in', ['completed', 'cancelled'])
    .select('id')
    .executeTakeFirst();
  return job !== undefined;
}

/** Returns the number of waiting jobs of a class. Counts at most `max`. */
export async function countPendingJobs(db: Db, jobClass: string, max: number): Promise<number> {
  const pending = db
    .selectFrom('job')
    .where('job_class', '=', jobClass)
    // Written as in the index.
    .where(sql<boolean>`status = 'pending'`)
    .select('id')
    .limit(max);
  const { count } = await db
    .selectFrom(pending.as('pending'))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Sets columns of a job if it still has this status; returns whether it had. */
export function updateJobIn(
  db: Db,
  { id, status }: Pick<JobRow, 'id' | 'status'>,
  columns: JobChange,
): Promise<boolean> {
  return updatesRow(
    db.updateTable('job').set(columns).where('id', '=', id).where('status', '=', sql.lit(status)),
  );
}

/** Sets the media item that a job is about. */
export async function updateJobMedia(db: Db, id: number, mediaId: number): Promise<void> {
  await db.updateTable('job').set({ media_id: mediaId }).where('id', '=', id).execute();
}

/** Returns the media item that a job works on or has created; null if there is none. */
export async function findJobMedia(db: Db, id: number): Promise<number | null> {
  const found = await db
    .selectFrom('job')
    .where('id', '=', id)
    .select('media_id')
    .executeTakeFirst();
  return found?.media_id ?? null;
}

/**
 * Replaces the result of a running job, by which it goes on after a crash. Returns false if it is not the expected one:
 * another run has replaced it, or the job is over.
 */
export function updateJobResult(
  db: Db,
  id: number,
  { from, to }: { from: string | null; to: string },
): Promise<boolean> {
  const job = db.updateTable('job').set({ result: to }).where('id', '=', id);
  return updatesRow(
    job.where('status', '=', sql.lit('running')).where('result', from === null ? 'is' : '=', from),
  );
}

/** Returns the jobs that match the filter, unordered: for filters that few jobs match. */
export function findJobs(db: Db, sight: JobSight, filter: JobFilter): Promise<JobRow[]> {
  const { ids, uuids } = filter;
  const reader = ids || uuids ? inline(db, (ids ?? uuids)?.length) : db;
  return filteredJobs(reader, sight, filter).selectAll().execute();
}

/** Returns one page of the jobs that match the filter. */
export function listJobs(
  db: Db,
  sight: JobSight,
  filter: JobFilter,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<JobRow>> {
  return pageJobs(db, sight, conditionsOf(filter), keyset, page);
}

/** Returns the number of jobs that match the filter. */
export function countJobs(db: Db, sight: JobSight, filter: JobFilter): Promise<number> {
  return countMatchingJobs(db, sight, conditionsOf(filter));
}

/** Returns the runs of many jobs, oldest first. */
export function listAttemptsByJobIds(db: Db, jobIds: readonly number[]): Promise<JobAttemptRow[]> {
  return inline(db, jobIds.length)
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

function filteredJobs(db: Db, sight: JobSight, filter: JobFilter) {
  const { ids, uuids, statuses, jobClasses, mediaId, unicity, createdFrom, createdTo } = filter;
  let query = db.selectFrom('job');
  if (sight !== null) query = query.where(isJobInSight(db, sight));
  if (unicity !== undefined && sight?.readsAll === false) {
    query = query.where('created_by', '=', sight.startedBy);
  }
  if (ids !== undefined) query = query.where(isAnyOf(db, 'id', ids));
  if (uuids !== undefined) query = query.where(isAnyOf(db, 'uuid', uuids));
  if (statuses !== undefined) query = query.where(isAnyOf(db, 'status', statuses));
  if (jobClasses !== undefined) query = query.where(isAnyOf(db, 'job_class', jobClasses));
  if (mediaId !== undefined) query = query.where('media_id', '=', mediaId);
  if (unicity !== undefined) query = query.where('unicity', '=', unicity);
  if (createdFrom !== undefined) query = query.where('created_at', '>=', createdFrom);
  if (createdTo !== undefined) query = query.where('created_at', '<=', createdTo);
  return query;
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
