import { sql } from 'kysely';
import type { Condition, Search } from '../../lib/search.ts';
import type { RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { type Column, matching, partOf } from '../search.ts';
import type { JobRow } from '../table.ts';

/** Each field that jobs can be searched and ordered by. */
export const JOB_COLUMNS = {
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
} satisfies Partial<Record<keyof JobRow, Column>>;
export type JobField = keyof typeof JOB_COLUMNS;

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

function column(name: keyof JobRow & string, kind: Column['kind'], isNullable = false): Column {
  return { value: sql.ref(`job.${name}`), kind, isNullable };
}
