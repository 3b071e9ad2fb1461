import { sql } from 'kysely';
import type { Condition, Search } from '../../lib/search.ts';
import { countRows, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { type Column, listWindow, matching } from '../search.ts';
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
export function searchJobs(db: Db, search: Search<JobField>): Promise<RowPage<JobRow>> {
  const found = matching(db, db.selectFrom('job'), JOB_COLUMNS, search.conditions).selectAll();
  return listWindow(found, JOB_COLUMNS, search);
}

/** Returns the number of jobs that meet all conditions. */
export async function countMatchingJobs(
  db: Db,
  conditions: readonly Condition<JobField>[],
): Promise<number> {
  return countRows(matching(db, db.selectFrom('job'), JOB_COLUMNS, conditions));
}

function column(name: keyof JobRow & string, kind: Column['kind'], isNullable = false): Column {
  return { value: sql.ref(`job.${name}`), kind, isNullable };
}
