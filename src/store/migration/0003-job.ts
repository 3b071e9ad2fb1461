import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { columnTypes, notifyOfJobs } from '../dialect.ts';

/** Adds the columns and indexes for running jobs: who started one, its result, and finding lost and finished jobs. */
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
