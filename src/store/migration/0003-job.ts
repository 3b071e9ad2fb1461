import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes } from '../dialect.ts';
import { notifyOfJobs } from '../postgres/job-notice.ts';

/**
 * Adds the creator and the result of a job, indexes to find lost and finished jobs, and triggers that notify workers.
 */
export async function up(db: Db): Promise<void> {
  const { text } = columnTypes(db);
  await db.schema.alterTable('job').addColumn('created_by', text).execute();
  await db.schema.alterTable('job').addColumn('created_role', text).execute();
  await db.schema.alterTable('job').addColumn('result', text).execute();
  await sql`create index job_lease on job (leased_until) where status = 'running'`.execute(db);
  await sql`create index job_finished on job (finished_at) where finished_at is not null`.execute(
    db,
  );
  await notifyOfJobs(db);
}
