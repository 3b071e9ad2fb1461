import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';

/** Returns those of these first segments of URLs that a media item has. */
export async function listTakenDirs(db: Db, dirs: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('file')
    .where(isAnyOf(db, 'dir', dirs))
    .select('dir')
    .distinct()
    .execute();
  return rows.map(({ dir }) => dir);
}

/** Sets the first segment of the URLs of the files of each of these media, with one statement. */
export async function updateDirs(db: Db, dirs: ReadonlyMap<number, string>): Promise<void> {
  const cases = [...dirs].map(([id, dir]) => sql`when ${id} then ${dir}`);
  await db
    .updateTable('file')
    .set({ dir: sql<string>`case media_id ${sql.join(cases, sql` `)} end` })
    .where(isAnyOf(db, 'media_id', [...dirs.keys()]))
    .execute();
}
