import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { eachOf } from '../dialect.ts';

/** The jobs of one class that have not finished. */
export interface QueueState {
  jobClass: string;
  /** Jobs that wait, also for a later time; at most `PENDING_MAX`. */
  pending: number;
  /** The time for which the longest waiting job was scheduled, in milliseconds since 1970; null: no job waits. */
  oldestDue: number | null;
  running: number;
}

/** Jobs of one class that are counted: reading more entries of the index would tell nobody more. */
export const PENDING_MAX = 10_000;

/**
 * Returns the state of the queue for each of the given classes. It reads at most `PENDING_MAX` entries of an index for
 * each class, whatever the number of jobs.
 */
export async function readQueue(db: Db, jobClasses: readonly string[]): Promise<QueueState[]> {
  const ofClass = sql`status = 'pending' and job_class = part.value`;
  const { rows } = await sql<QueueState>`
    select part.value as "jobClass",
      (select count(*) from (
        select 1 from job where ${ofClass} order by priority desc limit ${sql.lit(PENDING_MAX)}
      ) waiting) as pending,
      (select min(scheduled_at) from job where ${ofClass} and scheduled_at > 0) as "oldestDue",
      (select count(*) from job
        where status = 'running' and leased_until > 0 and job_class = part.value) as running
    from ${eachOf(db, jobClasses)}`.execute(db);
  return rows;
}
