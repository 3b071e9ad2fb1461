import { type SqlBool, sql } from 'kysely';
import type { Condition, Search } from '../../lib/search.ts';
import {
  countSelection,
  type ListedTable,
  orderOf,
  type Selection,
  type Slice,
  selectUuids,
} from '../access-path.ts';
import {
  directionOf,
  type Keyset,
  type PageRequest,
  type Position,
  type RowPage,
  toRowPage,
} from '../cursor.ts';
import type { Db } from '../db.ts';
import { rowsByKey } from '../index-scan.ts';
import { hidesOnly } from '../scope.ts';
import type { Column } from '../search.ts';
import type { JobRow } from '../table.ts';
import { countJobsInSight, type JobSight, narrowingOf } from './sight.ts';

/** Each field that jobs can be searched and ordered by. */
export const JOB_COLUMNS = {
  // The index that SQLite has made for `unique`. PostgreSQL needs no name.
  uuid: {
    ...column('uuid', 'uuid'),
    value: sql.ref('job.uuid'),
    isUnique: true,
    index: 'sqlite_autoindex_job_1',
  },
  job_class: column('job_class', 'text'),
  priority: { ...column('priority', 'integer'), indexById: 'job_priority' },
  status: column('status', 'text'),
  progress: column('progress', 'real'),
  retry_count: column('retry_count', 'integer'),
  // An index of PostgreSQL holds no text of more than 2,700 bytes.
  error: {
    ...column('error', 'text', true),
    stem: { value: sql.ref('job.error_stem'), length: 200 },
  },
  unicity: column('unicity', 'text', true),
  scheduled_at: column('scheduled_at', 'time'),
  created_at: column('created_at', 'time'),
  updated_at: column('updated_at', 'time'),
} satisfies Partial<Record<keyof JobRow, Column>>;
export type JobField = keyof typeof JOB_COLUMNS;

/** The fields of all lists of jobs. */
export type ListedJobField = JobField | 'id' | 'media_id';

const JOBS: ListedTable<ListedJobField> = {
  name: 'job',
  columns: {
    ...JOB_COLUMNS,
    id: { ...column('id', 'integer'), value: sql.ref('job.id'), isUnique: true, index: null },
    media_id: {
      ...column('media_id', 'integer', true),
      value: sql.ref('job.media_id'),
      index: 'job_media',
    },
  },
};

/**
 * Returns the table as a viewer may read it. For a viewer who may not read everything, `unicity` is null but in jobs that
 * it started: neither a filter nor an order then tells anything about the others.
 */
function jobsOf(sight: JobSight): ListedTable<ListedJobField> {
  if (sight === null || sight.readsAll) return JOBS;
  const { unicity } = JOB_COLUMNS;
  const value = sql`case when job.created_by = ${sight.startedBy} then ${unicity.value} end`;
  const own: Column = { ...unicity, value, index: null, isComputed: true };
  return { ...JOBS, columns: { ...JOBS.columns, unicity: own } };
}

/** Returns a window of the jobs that meet all conditions. */
export async function searchJobs(
  db: Db,
  sight: JobSight,
  { conditions, order, limit, offset }: Search<JobField>,
): Promise<RowPage<JobRow>> {
  // One more than the limit, which tells whether more follow.
  const rows = await selectJobs(db, sight, conditions, { order, limit: limit + 1, offset });
  return toRowPage(rows, { limit, backward: false });
}

/** Returns one page of the jobs that meet all conditions. The columns of the keyset are fields of the list. */
export async function pageJobs(
  db: Db,
  sight: JobSight,
  conditions: readonly Condition<ListedJobField>[],
  { columns, descending }: Keyset,
  request: PageRequest,
): Promise<RowPage<JobRow>> {
  const { after, before, backward, limit } = request;
  const fields = columns.map(({ name }) => name as ListedJobField);
  const place = sql.join(fields.map((field) => JOBS.columns[field].value));
  const beyond = (operator: string, position: Position | undefined) =>
    position === undefined
      ? []
      : [sql<SqlBool>`(${place}) ${sql.raw(operator)} (${sql.join(position)})`];
  const isDescending = directionOf(descending, backward) === 'desc';
  const rows = await selectJobs(db, sight, conditions, {
    order: fields.map((field) => ({ field, descending: isDescending })),
    bounds: [...beyond(descending ? '<' : '>', after), ...beyond(descending ? '>' : '<', before)],
    limit: limit + 1,
    offset: 0,
  });
  return toRowPage(rows, request);
}

/** Returns a part of the jobs that meet all conditions, in order. */
async function selectJobs(
  db: Db,
  sight: JobSight,
  conditions: readonly Condition<ListedJobField>[],
  slice: Slice<ListedJobField>,
): Promise<JobRow[]> {
  const jobs = jobsOf(sight);
  const uuids = await selectUuids(db, jobs, inSight(db, sight, conditions), slice);
  const page = rowsByKey(db, 'job', JOB_COLUMNS.uuid, sql`select uuid as key from (${uuids}) page`);
  const order = orderOf(jobs, slice.order);
  const { rows } = await sql<JobRow>`select job.* from ${page} order by ${order}`.execute(db);
  return rows;
}

/** Returns the number of jobs that meet all conditions. */
export function countMatchingJobs(
  db: Db,
  sight: JobSight,
  conditions: readonly Condition<ListedJobField>[],
): Promise<number> {
  if (sight !== null && hidesOnly(sight.nodes) && conditions.length === 0)
    return countJobsInSight(db, sight);
  return countSelection(db, jobsOf(sight), inSight(db, sight, conditions));
}

function inSight(
  db: Db,
  sight: JobSight,
  conditions: readonly Condition<ListedJobField>[],
): Selection<ListedJobField> {
  return { conditions, narrowing: sight && narrowingOf(db, sight) };
}

/**
 * An expression, so that planners do not use its index for statements of the queue, which have indexes of their own.
 */
function column(name: keyof JobRow & string, kind: Column['kind'], isNullable = false) {
  const ref = sql.ref(`job.${name}`);
  return {
    value: kind === 'text' ? sql`(${ref} || '')` : sql`(${ref} + 0)`,
    kind,
    isNullable,
    isUnique: false,
    index: `job_by_${name}`,
  };
}
