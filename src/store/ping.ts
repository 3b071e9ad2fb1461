import { sql } from 'kysely';
import type { Db } from './db.ts';
import { createPostgresPing } from './postgres/ping.ts';

/** Asks a database whether it responds. */
export interface Ping {
  /** Throws if the database does not respond. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Creates the ping of a database. PostgreSQL is asked on a connection of its own: one of the pool may be free only when
 * the statements of others have ended.
 */
export function createPing(db: Db, url: string): Ping {
  if (!url.startsWith('sqlite:')) return createPostgresPing(url);
  return {
    check: async () => void (await sql`select 1`.execute(db)),
    stop: async () => undefined,
  };
}
