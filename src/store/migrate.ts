import { sql } from 'kysely';
import type { Db } from './db.ts';
import { lockForMigration, withoutTimeout } from './dialect.ts';
import { NewerDatabaseError } from './error.ts';
import { withoutTimeLimit } from './limit.ts';
import { MIGRATIONS, type Report } from './migration.ts';
import { inTransaction } from './transaction.ts';

/**
 * Brings the schema up to date, all steps in one transaction: after a crash the database is unchanged. Not Kysely's
 * Migrator: on SQLite it takes no lock and runs outside a transaction. Returns the names of the migrations that have
 * run; they report what they could not keep as it was. Throws NewerDatabaseError. With `names`, runs only these
 * migrations: a snapshot of an older database has their tables.
 */
export function migrate(
  db: Db,
  report: Report = () => undefined,
  names: readonly string[] | null = null,
): Promise<string[]> {
  // Another process may migrate for minutes, and so may this one.
  return inTransaction(withoutTimeLimit(db), async (limited) => {
    const db = await withoutTimeout(limited);
    await lockForMigration(db);
    await sql`create table if not exists migration (name text primary key, applied_at text not null)`.execute(
      db,
    );
    const { rows } = await sql<{ name: string }>`select name from migration`.execute(db);
    const applied = new Set(rows.map((row) => row.name));
    const unknown = [...applied].filter((name) => !(name in MIGRATIONS));
    if (unknown.length > 0) throw new NewerDatabaseError(unknown);
    const isWanted = (name: string) => !applied.has(name) && (names?.includes(name) ?? true);
    const pending = Object.entries(MIGRATIONS).filter(([name]) => isWanted(name));
    for (const [name, migration] of pending) {
      await migration.up(db, report);
      const appliedAt = new Date().toISOString();
      await sql`insert into migration (name, applied_at) values (${name}, ${appliedAt})`.execute(
        db,
      );
    }
    return pending.map(([name]) => name);
  });
}
