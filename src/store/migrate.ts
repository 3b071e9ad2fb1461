import { sql } from 'kysely';
import type { Db } from './db.ts';
import { dialectOf, lockForMigration, withoutTimeout } from './dialect.ts';
import { NewerDatabaseError } from './error.ts';
import { withoutTimeLimit } from './limit.ts';
import { migrateOnline, noteApplied } from './migration/online.ts';
import { MIGRATIONS, type Migration, type Report } from './migration.ts';
import { inTransaction } from './transaction.ts';

/**
 * Brings the schema up to date. A new database, and any of SQLite, gets all steps in one transaction: after a crash it is
 * unchanged. Others may use an existing database of PostgreSQL meanwhile: see `migrateOnline`. Not Kysely's Migrator: on
 * SQLite it takes no lock and runs outside a transaction. Returns the names of the migrations that have run; they report
 * what they could not keep as it was. Throws NewerDatabaseError. With `names`, runs only these migrations: a snapshot of
 * an older database has their tables.
 */
export async function migrate(
  db: Db,
  report: Report = () => undefined,
  names: readonly string[] | null = null,
): Promise<string[]> {
  const find = (db: Db) => findPending(db, names);
  if (!(await isInUse(db))) return migrateAtOnce(db, find, report);
  // Almost every start.
  if ((await find(db)).length === 0) return [];
  return migrateOnline(db, find, report);
}

/** Tells whether others may use the database, and would have to wait for the locks of a long transaction. */
async function isInUse(db: Db): Promise<boolean> {
  if (dialectOf(db) !== 'postgres' || db.isTransaction) return false;
  const { rows } = await sql<{
    name: string | null;
  }>`select to_regclass('migration') as name`.execute(db);
  return rows[0]?.name !== null;
}

function migrateAtOnce(
  db: Db,
  find: (db: Db) => Promise<[name: string, migration: Migration][]>,
  report: Report,
): Promise<string[]> {
  // Another process may migrate for minutes, and so may this one.
  return inTransaction(withoutTimeLimit(db), async (limited) => {
    const db = await withoutTimeout(limited);
    await lockForMigration(db);
    await sql`create table if not exists migration (name text primary key, applied_at text not null)`.execute(
      db,
    );
    const pending = await find(db);
    for (const [name, migration] of pending) {
      await migration.up(db, report);
      await noteApplied(db, name);
    }
    return pending.map(([name]) => name);
  });
}

/** Returns the migrations that have not run. Throws NewerDatabaseError. */
async function findPending(
  db: Db,
  names: readonly string[] | null,
): Promise<[name: string, migration: Migration][]> {
  const { rows } = await sql<{ name: string }>`select name from migration`.execute(db);
  const applied = new Set(rows.map((row) => row.name));
  const unknown = [...applied].filter((name) => !(name in MIGRATIONS));
  if (unknown.length > 0) throw new NewerDatabaseError(unknown);
  const isWanted = (name: string) => !applied.has(name) && (names?.includes(name) ?? true);
  return Object.entries(MIGRATIONS).filter(([name]) => isWanted(name));
}
