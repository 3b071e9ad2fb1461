import { sql } from 'kysely';
import type { RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { type Column, type Condition, matching, partOf, type Search } from '../search.ts';
import type { JobRow } from '../table.ts';

/** The fields that jobs are searched and ordered by. */
export type JobField =
  | 'uuid'
  | 'job_class'
  | 'priority'
  | 'status'
  | 'progress'
  | 'retry_count'
  | 'error'
  | 'unicity'
  | 'scheduled_at'
  | 'created_at'
  | 'updated_at';

/** The column of each field. */
export const JOB_COLUMNS: Readonly<Record<JobField, Column>> = {
  uuid: column('uuid', 'uuid'),
  job_class: column('job_class', 'text'),
  priority: column('priority', 'integer'),
  status: column('status', 'text'),
  progress: column('progress', 'real'),
  retry_count: column('retry_count', 'integer'),
  error: column('error', 'text', true),
  unicity: column('unicity', 'text', true),
  scheduled_at: column('scheduled_at', 'time'),
  created_at: column('created_at', 'time'),
  updated_at: column('updated_at', 'time'),
};

/** Returns a window of the jobs that meet all conditions. */
export async function searchJobs(db: Db, search: Search<JobField>): Promise<RowPage<JobRow>> {
  const found = matching(db, db.selectFrom('job'), JOB_COLUMNS, search.conditions).selectAll();
  const rows = await partOf(found, JOB_COLUMNS, search).execute();
  return { rows: rows.slice(0, search.limit), hasMore: rows.length > search.limit };
}

/** Returns the number of jobs that meet all conditions. */
export async function countMatchingJobs(
  db: Db,
  conditions: readonly Condition<JobField>[],
): Promise<number> {
  const { count } = await matching(db, db.selectFrom('job'), JOB_COLUMNS, conditions)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function column(name: JobField, kind: Column['kind'], isNullable = false): Column {
  return { value: sql.ref(`job.${name}`), kind, isNullable };
}
