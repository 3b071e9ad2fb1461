import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { DatabaseUnavailableError } from '../error.ts';
import type { Migration, OnlineStep, Report } from '../migration.ts';
import { runShortly } from './short.ts';

/** Indexes by name: `table (columns) where …`. */
export type Indexes = Readonly<Record<string, string>>;

/**
 * Returns a migration that creates indexes. `replaced`: existing indexes that it drops; one of the same name as a new
 * one is dropped when that has been built.
 */
export function indexMigration(indexes: Indexes, replaced: readonly string[] = []) {
  return {
    up: (db: Db) => createAllIndexes(db, indexes, replaced),
    online: [indexStep(indexes, replaced)],
  } satisfies Migration;
}

/** Creates indexes in a transaction. */
export async function createAllIndexes(
  db: Db,
  indexes: Indexes,
  replaced: readonly string[] = [],
): Promise<void> {
  for (const name of replaced) await sql`drop index ${sql.ref(name)}`.execute(db);
  for (const [name, definition] of Object.entries(indexes)) {
    await sql`create index ${sql.ref(name)} on ${sql.raw(definition)}`.execute(db);
  }
}

/** Returns the step that does the same while others read and write the tables. */
export function indexStep(indexes: Indexes, replaced: readonly string[] = []): OnlineStep {
  return {
    isAlone: true,
    async run(db, report) {
      const all = Object.entries(indexes);
      for (const [at, [name, definition]] of all.entries()) {
        report(`building the index ${name}, ${at + 1} of ${all.length}`, 'info');
        if (replaced.includes(name)) await replaceIndex(db, name, definition, report);
        else await buildIndex(db, name, definition, report);
      }
      for (const name of replaced.filter((name) => !(name in indexes))) await dropIndex(db, name);
    },
  };
}

/** Builds the new index under another name, so that queries have one of the two all the time. */
async function replaceIndex(
  db: Db,
  name: string,
  definition: string,
  report: Report,
): Promise<void> {
  const built = `${name}_new`;
  await buildIndex(db, built, definition, report);
  await runShortly(db, async (db) => {
    await sql`drop index if exists ${sql.ref(name)}`.execute(db);
    await sql`alter index ${sql.ref(built)} rename to ${sql.ref(name)}`.execute(db);
  });
}

/** Times that a build is tried: PostgreSQL ends one that would wait for a transaction which waits for the build. */
const BUILDS_MAX = 5;

async function buildIndex(db: Db, name: string, definition: string, report: Report): Promise<void> {
  for (let count = 1; ; count++) {
    // An interrupted build leaves an index that is written to, but not read.
    if (await isInvalid(db, name)) await dropIndex(db, name);
    try {
      const index = sql.ref(name);
      await sql`create index concurrently if not exists ${index} on ${sql.raw(definition)}`.execute(
        db,
      );
      return;
    } catch (error) {
      const isBusy = error instanceof DatabaseUnavailableError && error.reason === 'busy';
      if (!isBusy || count === BUILDS_MAX) throw error;
      report(`the build of the index ${name} was interrupted, and begins again: ${error.message}`);
    }
  }
}

async function isInvalid(db: Db, name: string): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_index
    where indexrelid = to_regclass(${name}) and not indisvalid`.execute(db);
  return rows.length > 0;
}

async function dropIndex(db: Db, name: string): Promise<void> {
  await sql`drop index concurrently if exists ${sql.ref(name)}`.execute(db);
}
