import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { lockSessionForMigration, withoutSessionTimeout } from '../dialect.ts';
import type { Migration, Report } from '../migration.ts';
import { runShortly } from './short.ts';

/** Interval at which a process asks whether another one still migrates. */
const POLL_MS = 200;

/**
 * Migrates a PostgreSQL database that other processes read and write meanwhile, one migration after the other; after a
 * crash, the next start continues. `findPending` returns the migrations that are still to run, by name.
 */
export function migrateOnline(
  db: Db,
  findPending: (db: Db) => Promise<[name: string, migration: Migration][]>,
  report: Report,
): Promise<string[]> {
  return db.connection().execute((session) =>
    withoutSessionTimeout(session, async (db) => {
      // Asks again and again: a statement that waited for the lock would be one that the build of an index waits for.
      while (!(await lockSessionForMigration(db, 'take'))) await sleep(POLL_MS);
      try {
        const pending = await findPending(db);
        for (const [name, migration] of pending) await runOnline(db, name, migration, report);
        return pending.map(([name]) => name);
      } finally {
        await lockSessionForMigration(db, 'release');
      }
    }),
  );
}

async function runOnline(db: Db, name: string, migration: Migration, report: Report) {
  const steps = migration.online;
  for (const { isAlone = false, run } of steps ?? []) {
    await (isAlone ? run(db, report) : runShortly(db, (db) => run(db, report)));
  }
  await runShortly(db, async (db) => {
    if (steps === undefined) await migration.up(db, report);
    await noteApplied(db, name);
  });
}

/** Notes that a migration has run. */
export async function noteApplied(db: Db, name: string): Promise<void> {
  const appliedAt = new Date().toISOString();
  await sql`insert into migration (name, applied_at) values (${name}, ${appliedAt})`.execute(db);
}
