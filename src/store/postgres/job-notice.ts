import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { dialectOf } from '../dialect.ts';

/** The channel on which PostgreSQL announces jobs that can run and runs that have to stop. */
export const JOB_CHANNEL = 'trivium_job';

/**
 * Creates triggers that notify all processes of waiting jobs and of runs that have to stop; the commit sends the
 * notice. On SQLite the processes poll.
 */
export async function notifyOfJobs(db: Db): Promise<void> {
  if (dialectOf(db) !== 'postgres') return;
  await sql`create function trivium_notify_job() returns trigger language plpgsql as $$
    begin perform pg_notify(${sql.lit(JOB_CHANNEL)}, ''); return null; end $$`.execute(db);
  await sql`create trigger job_notify after insert or update of status, scheduled_at, cancel_requested_at on job
    for each row when (new.status = 'pending' or new.cancel_requested_at is not null)
    execute function trivium_notify_job()`.execute(db);
  await sql`create trigger job_notify_delete after delete on job
    for each row when (old.status = 'running') execute function trivium_notify_job()`.execute(db);
}
