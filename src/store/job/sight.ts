import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Narrowing } from '../access-path.ts';
import type { Db } from '../db.ts';
import { selectedFrom, tableBy } from '../dialect.ts';
import { type HiddenRows, rowsByKey } from '../index-scan.ts';
import {
  type Hiding,
  hidesOnly,
  idsWithin,
  isInSight,
  isPrivateOfOthers,
  type Scope,
} from '../scope.ts';
import type { JobRow } from '../table.ts';

/**
 * The jobs that a viewer may see: those that it started, and those of media in its scope. Null: all jobs. Every list and
 * read of jobs takes one.
 */
export type JobSight = LimitedSight | null;

interface LimitedSight {
  /** `Viewer.id` of the viewer. */
  startedBy: string;
  nodes: Scope;
  /** Whether the viewer may read what others have asked for: `arguments` and `unicity`. */
  readsAll: boolean;
}

/** Tells whether the viewer may see a job. */
export function isJobInSight(db: Db, { startedBy, nodes }: LimitedSight): RawBuilder<SqlBool> {
  const isOfMedia = sql`(select 1 from media where media.id = job.media_id and ${isInSight(db, nodes)}) = 1`;
  return sql`(job.created_by = ${startedBy} or ${isOfMedia})`;
}

/** Returns the condition as a narrowing of a list. */
export function narrowingOf(db: Db, sight: LimitedSight): Narrowing {
  return {
    test: isJobInSight(db, sight),
    reference: { value: sql.ref('job.id'), index: null },
    ids: (limit) => idsInSight(db, sight, limit),
    ...(hidesOnly(sight.nodes) && { opposite: outOfSight(db, sight) }),
  };
}

/** The columns that lists of jobs are ordered by, also for viewers who may not read everything. */
const ORDERED_BY: readonly (keyof JobRow)[] = [
  'id',
  'uuid',
  'job_class',
  'priority',
  'status',
  'progress',
  'retry_count',
  'error_stem',
  'unicity',
  'created_by',
  'scheduled_at',
  'created_at',
  'updated_at',
  'media_id',
];

/** Returns the jobs that a viewer may not see whose scope hides private media only. */
function outOfSight(db: Db, { startedBy, nodes: { hiding } }: LimitedSight): HiddenRows {
  const columns = selectedFrom('job', ORDERED_BY);
  const isOfOthers = sql`coalesce(job.created_by, '') <> ${startedBy}`;
  const withoutMedia = sql`select ${columns} from ${tableBy(db, 'job', 'job_without_media')}
    where job.media_id is null and ${isOfOthers}`;
  const rows =
    hiding === null
      ? withoutMedia
      : sql`${withoutMedia} union all select ${columns} from ${jobsOfHidden(db, hiding)} where ${isOfOthers}`;
  return { columns: ORDERED_BY, rows };
}

/**
 * Returns the number of jobs that a viewer may see whose scope hides private media only. Counts those of all media in an
 * index, and subtracts those of hidden media, which are few: to look at the media item of each of 300,000 jobs took
 * 100 ms.
 */
export async function countJobsInSight(
  db: Db,
  { startedBy, nodes: { hiding } }: LimitedSight,
): Promise<number> {
  const ofMedia = sql`select count(*) from ${tableBy(db, 'job', 'job_media')} where media_id >= 0`;
  const own = sql`select count(*) from ${tableBy(db, 'job', 'job_without_media')}
    where media_id is null and created_by = ${startedBy}`;
  const counted = sql<{ count: number }>`select (${ofMedia}) + (${own})
    - (${hiding === null ? sql`0` : countHidden(db, startedBy, hiding)}) as count`;
  const { rows } = await counted.execute(db);
  return Number(rows[0]?.count);
}

function countHidden(db: Db, startedBy: string, hiding: Hiding): RawBuilder<unknown> {
  return sql`select count(*) from ${jobsOfHidden(db, hiding)}
    where coalesce(job.created_by, '') <> ${startedBy}`;
}

function jobsOfHidden(db: Db, hiding: Hiding): RawBuilder<unknown> {
  const media = sql`select media.id as key from ${tableBy(db, 'media', 'media_private')}
    where ${isPrivateOfOthers(hiding)} and media.type <> 'folder'`;
  const mediaId = { value: sql.ref('job.media_id'), index: 'job_media' };
  return rowsByKey(db, 'job', mediaId, media);
}

/**
 * Selects the ids of all jobs that the viewer may see, and of some others. The result has at least `limit` rows if any
 * part is incomplete.
 */
function idsInSight(
  db: Db,
  { startedBy, nodes: { moved, within } }: LimitedSight,
  limit: number,
): RawBuilder<unknown> {
  const upTo = (query: RawBuilder<unknown>) => sql`select key from (${query} limit ${limit}) part`;
  const own = sql`select id as key from ${tableBy(db, 'job', 'job_created_by')}
    where created_by = ${startedBy} order by id`;
  if (within === null) {
    const ofMedia = sql`select id as key from ${tableBy(db, 'job', 'job_media')}
      where media_id >= 0 order by media_id`;
    return sql`${upTo(own)} union all ${upTo(ofMedia)}`;
  }
  const media = sql`select distinct id as key from (${idsWithin(db, moved, within)}) node limit ${limit}`;
  const mediaId = { value: sql.ref('job.media_id'), index: 'job_media' };
  const jobs = sql`select job.id as key from ${rowsByKey(db, 'job', mediaId, media)}`;
  // No job has the id null: these rows only tell how many media there are.
  const counted = sql`select null as key from (${media}) counted`;
  return sql`${upTo(own)} union all ${upTo(jobs)} union all ${counted}`;
}
