import { sql } from 'kysely';
import { type Keyset, type PageRequest, pageOf, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { listOfEach } from '../group.ts';
import type { JobRow } from '../table.ts';

/** Returns one page of the jobs of each media item, in one statement. Every media item has an entry. */
export function listJobsOfEach(
  db: Db,
  mediaIds: readonly number[],
  keyset: Keyset,
  request: PageRequest,
): Promise<Map<number, RowPage<JobRow>>> {
  const members = db
    .selectFrom('job')
    .where(sql<boolean>`job.media_id = part.value`)
    .select('job.id');
  return listOfEach(db, 'job', pageOf(members, keyset, request), mediaIds, {
    keyset,
    page: request,
  });
}

/** Returns the number of jobs of each media item; one without jobs has no entry. */
export async function countJobsOfEach(
  db: Db,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom('job')
    .where(isAnyOf(db, 'media_id', mediaIds))
    .select(['media_id', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy('media_id')
    .execute();
  return new Map(rows.map(({ media_id, count }) => [Number(media_id), count]));
}
