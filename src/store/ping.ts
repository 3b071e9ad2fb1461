import { sql } from 'kysely';
import type { Db } from './db.ts';
import { inline } from './inline.ts';

/** Throws if the database does not respond. */
export async function ping(db: Db): Promise<void> {
  await sql`select 1`.execute(inline(db));
}
