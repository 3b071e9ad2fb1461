import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { lockForMigration, withoutTimeout } from '../dialect.ts';
import { DatabaseUnavailableError } from '../error.ts';

/**
 * Time that a change of a table waits for those who use the table, in milliseconds. All who come later wait behind it, for
 * that long at most.
 */
export const LOCK_TIMEOUT_MS = 1000;

/** The pause before the next try, in which they catch up; up to twice as long, by chance. */
const PAUSE_MS = 1000;

/** Number of tries: about an hour. A transaction of the server ends within a minute. */
const TRIES_MAX = 1500;

/**
 * Runs changes of tables in a transaction on PostgreSQL, and tries again for as long as others hold a lock that it needs.
 * Throws DatabaseUnavailableError after an hour.
 */
export async function runShortly(db: Db, work: (db: Db) => Promise<void>): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      return await db.transaction().execute(async (opened) => {
        const db = await withoutTimeout(opened);
        await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(db);
        // Held by this session already, unless its connection has been lost.
        await lockForMigration(db);
        await work(db);
      });
    } catch (error) {
      const isBusy = error instanceof DatabaseUnavailableError && error.reason === 'busy';
      if (!isBusy || count === TRIES_MAX) throw error;
    }
    await sleep(PAUSE_MS * (1 + Math.random()));
  }
}
