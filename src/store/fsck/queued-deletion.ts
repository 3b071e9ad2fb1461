import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { dialectOf, isAnyOf } from '../dialect.ts';

/** Returns the query of those of the given blob keys whose bytes a waiting or running job will delete. */
export function queuedBlobKeys(db: Db, keys: readonly string[]): RawBuilder<unknown> {
  const items =
    dialectOf(db) === 'postgres'
      ? sql`cross join lateral jsonb_array_elements_text(job.arguments::jsonb -> 'blob_keys') part(value)`
      : sql`cross join json_each(job.arguments, '$.blob_keys') part`;
  return sql`select part.value as blob_key from job ${items} where job.job_class = 'delete-blob'
    and job.status in ('pending', 'running', 'paused') and ${isAnyOf(db, 'part.value', keys)}`;
}
