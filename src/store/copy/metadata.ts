import { sql } from 'kysely';
import type { Db } from '../db.ts';

/** Gives a media item the custom fields of another one, for filters. The column with all of them is left to the caller. */
export async function copyMetadata(
  db: Db,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await db
    .insertInto('media_metadata')
    .columns(['media_id', 'key', 'value'])
    .expression(
      db
        .selectFrom('media_metadata')
        .where('media_id', '=', from)
        .select([sql<number>`${sql.lit(to)}`.as('media_id'), 'key', 'value']),
    )
    .execute();
}
