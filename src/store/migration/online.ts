import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { MIGRATION_LOCK } from '../dialect.ts';
import type { Migration, Report } from '../migration.ts';
import { withQueryOptions } from '../query-option.ts';
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
    withoutTimeLimit(session, async (db) => {
      // Asks again and again: a statement that waited for the lock would be one that the build of an index waits for.
      while (!(await tryLock(db))) await sleep(POLL_MS);
      try {
        const pending = await findPending(db);
        for (const [name, migration] of pending) await runOnline(db, name, migration, report);
        return pending.map(([name]) => name);
      } finally {
        await sql`select pg_advisory_unlock(${sql.lit(MIGRATION_LOCK)})`.execute(db);
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

/** Takes the lock of migrations for the connection, unless another process has it. */
async function tryLock(db: Db): Promise<boolean> {
  const { rows } = await sql<{ isTaken: boolean }>`
    select pg_try_advisory_lock(${sql.lit(MIGRATION_LOCK)}) as "isTaken"`.execute(db);
  return rows[0]?.isTaken ?? false;
}

/** Runs work with a connection whose statements have no time limit meanwhile. */
async function withoutTimeLimit<T>(session: Db, work: (db: Db) => Promise<T>): Promise<T> {
  await sql`set statement_timeout = 0`.execute(session);
  try {
    return await work(withQueryOptions(session, { hasNoTimeout: true }));
  } finally {
    await sql`reset statement_timeout`.execute(session);
  }
}
