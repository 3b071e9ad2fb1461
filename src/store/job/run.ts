import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { eachOf, isAnyOf, lockRow, skippingLocked } from '../dialect.ts';
import { inline } from '../inline.ts';
import { updatesRow } from '../result.ts';
import type { JobChange, JobRow } from '../table.ts';

/** Columns of a job. */
export type { JobChange, JobRow };

/** A job class that has a due job. */
export interface DueClass {
  jobClass: string;
  /** The highest priority of its due jobs. */
  priority: number;
}

/**
 * Returns the given classes that have a due job, in the given order. Locks nothing, so another worker may take the job
 * first.
 */
export async function listDueClasses(
  db: Db,
  jobClasses: readonly string[],
  now: number,
): Promise<DueClass[]> {
  const { rows } = await sql<{ jobClass: string; priority: number | null }>`
    select part.value as "jobClass", (
      select priority from job
      where status = 'pending' and job_class = part.value and scheduled_at <= ${now}
      order by priority desc, turn, scheduled_at, id limit 1
    ) as priority from ${eachOf(db, jobClasses)}`.execute(db);
  return rows.filter((row): row is DueClass => row.priority !== null);
}

/** The worker that takes a job, and its lease. */
export interface JobClaim {
  jobClass: string;
  /** Clients whose jobs this worker skips, because it runs enough of theirs. */
  exceptClients: readonly string[];
  worker: string;
  /** The token that proves, from then on, that the worker still holds the job. */
  leaseToken: string;
  leasedUntil: number;
  now: number;
}

/**
 * Number of jobs that a claim examines if it skips clients. By the turns, the first job of each other client is among
 * them.
 */
const CANDIDATES_MAX = 100;

/**
 * Takes the next job of a class: the due job with the highest priority, then the lowest turn, then the earliest due
 * time. One statement, so that no two workers take the same job.
 */
export async function claimJob(db: Db, claim: JobClaim): Promise<JobRow | undefined> {
  const { now, worker, leaseToken, leasedUntil, jobClass, exceptClients } = claim;
  const due = sql`status = 'pending' and job_class = ${jobClass} and scheduled_at <= ${now}`;
  const order = sql`order by priority desc, turn, scheduled_at, id`;
  // Does not repeat the condition on `due`: the planner must look up the candidates by id, not search for them.
  const next =
    exceptClients.length === 0
      ? due
      : sql`id in (select id from job where ${due} ${order} limit ${sql.lit(CANDIDATES_MAX)})
          and status = 'pending' and not ${isAnyOf(db, 'client', exceptClients)}`;
  const { rows } = await sql<JobRow>`
    update job set status = 'running', lease_token = ${leaseToken}, leased_until = ${leasedUntil},
      heartbeat_at = ${now}, worker = ${worker}, started_at = ${now}, finished_at = null, progress = 0,
      cancel_requested_at = null, cancel_reason = null, updated_at = ${now}
    where id = (select id from job where ${next} ${order} limit 1 ${skippingLocked(db)})
    returning *`.execute(db);
  return rows[0];
}

/** Returns the time at which the next job of these classes is due, in milliseconds since 1970. */
export async function findNextDue(
  db: Db,
  jobClasses: readonly string[],
): Promise<number | undefined> {
  const { rows } = await sql<{ due: number | null }>`
    select min(due) as due from (select (
      select min(scheduled_at) from job
      where status = 'pending' and scheduled_at > 0 and job_class = part.value
    ) as due from ${eachOf(db, jobClasses)}) next`.execute(inline(db));
  return rows[0]?.due ?? undefined;
}

/** The run that holds the lease of a job. */
export interface Lease {
  id: number;
  leaseToken: string;
}

/** Sets columns of a job if this lease still holds it; otherwise returns false and changes nothing. */
export function updateLeasedJob(
  db: Db,
  { id, leaseToken }: Lease,
  columns: JobChange,
): Promise<boolean> {
  return updatesRow(
    db
      .updateTable('job')
      .set(columns)
      .where('id', '=', id)
      .where('lease_token', '=', leaseToken)
      .where('status', '=', sql.lit('running')),
  );
}

/** Returns the job if this lease still holds it. */
export function findLeasedJob(
  db: Db,
  { id, leaseToken }: Lease,
): Promise<Pick<JobRow, 'cancel_requested_at' | 'leased_until'> | undefined> {
  return inline(db)
    .selectFrom('job')
    .where('id', '=', id)
    .where('lease_token', '=', leaseToken)
    .where('status', '=', sql.lit('running'))
    .select(['cancel_requested_at', 'leased_until'])
    .executeTakeFirst();
}

/** Returns the job as `findLeasedJob` does, and locks it until the end of the transaction. */
export async function lockLeasedJob(db: Db, lease: Lease): ReturnType<typeof findLeasedJob> {
  await lockRow(db, 'job', lease.id);
  return findLeasedJob(db, lease);
}

/** Moves a pending job that is due later to that time. */
export async function advanceJob(db: Db, id: number, scheduledAt: number): Promise<void> {
  await db
    .updateTable('job')
    .set({ scheduled_at: scheduledAt })
    .where('id', '=', id)
    .where('status', '=', sql.lit('pending'))
    .where('scheduled_at', '>', scheduledAt)
    .execute();
}

/**
 * Makes jobs due now that were put off while the clock was ahead: leases that end after `leasedUntilMax`, and retries
 * and other waits of jobs last changed after `changedMax`. Returns the number of jobs.
 */
export async function resetFutureJobs(
  db: Db,
  { now, leasedUntilMax, changedMax }: Record<'now' | 'leasedUntilMax' | 'changedMax', number>,
): Promise<number> {
  const leased = await db
    .updateTable('job')
    .set({ leased_until: now - 1, heartbeat_at: now, updated_at: now })
    .where('status', '=', sql.lit('running'))
    .where('leased_until', '>', leasedUntilMax)
    .executeTakeFirst();
  const waiting = await db
    .updateTable('job')
    .set({ scheduled_at: now, updated_at: now })
    .where('status', '=', sql.lit('pending'))
    .where('scheduled_at', '>', now)
    .where('updated_at', '>', changedMax)
    // Keeps a due time that a client may have requested by its own clock.
    .where((eb) => eb.or([eb('created_by', 'is', null), eb('retry_count', '>', 0)]))
    .executeTakeFirst();
  return Number(leased.numUpdatedRows + waiting.numUpdatedRows);
}

/** Ends the leases of workers that are known to have ended. Their jobs are then lost, as after the end of a lease. */
export async function expireLeases(db: Db, workers: readonly string[], now: number): Promise<void> {
  if (workers.length === 0) return;
  await db
    .updateTable('job')
    .set({ leased_until: now - 1 })
    .where('status', '=', sql.lit('running'))
    .where('worker', 'in', [...workers])
    .execute();
}

/** Returns the jobs whose lease has expired. */
export function listLostJobs(db: Db, now: number, limit: number): Promise<JobRow[]> {
  return inline(db, limit)
    .selectFrom('job')
    .where('status', '=', sql.lit('running'))
    .where('leased_until', '<', now)
    .orderBy('leased_until')
    .limit(limit)
    .selectAll()
    .execute();
}

/** Inserts a run with the next number of its job. */
export async function insertAttempt(
  db: Db,
  { jobId, worker, now }: { jobId: number; worker: string; now: number },
): Promise<void> {
  await db
    .insertInto('job_attempt')
    .columns(['job_id', 'number', 'worker', 'started_at'])
    .expression((eb) =>
      eb
        .selectFrom('job_attempt')
        .where('job_id', '=', jobId)
        .select([
          sql<number>`cast(${jobId} as bigint)`.as('job_id'),
          sql<number>`coalesce(max(number), 0) + 1`.as('number'),
          sql<string>`cast(${worker} as text)`.as('worker'),
          sql<number>`cast(${now} as bigint)`.as('started_at'),
        ]),
    )
    .execute();
}

/** Stores how the current run has ended. */
export async function closeAttempt(
  db: Db,
  { jobId, error, now }: { jobId: number; error: string | null; now: number },
): Promise<void> {
  await db
    .updateTable('job_attempt')
    .set({ finished_at: now, error })
    .where('job_id', '=', jobId)
    .where('finished_at', 'is', null)
    .execute();
}

/** Deletes jobs that ended before that time, with their runs. Returns their number. */
export async function deleteFinishedJobs(
  db: Db,
  { statuses, before, limit }: { statuses: readonly string[]; before: number; limit: number },
): Promise<number> {
  const old = db
    .selectFrom('job')
    .where('finished_at', '<', before)
    .where('status', 'in', [...statuses])
    .select('id')
    .limit(limit);
  const { numDeletedRows } = await db.deleteFrom('job').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows);
}
