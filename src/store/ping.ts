import { sql } from 'kysely';
import type { Db } from './db.ts';
import { inline } from './inline.ts';
import { createPostgresPing, type Ping } from './postgres/ping.ts';

/**
 * Creates the ping of a database. PostgreSQL is asked on a connection of its own: one of the pool may be free only when
 * the statements of others have ended.
 */
export function createPing(db: Db, url: string): Ping {
  if (!url.startsWith('sqlite:')) return createPostgresPing(url);
  return {
    check: async () => void (await sql`select 1`.execute(inline(db))),
    stop: async () => undefined,
  };
}
