import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { hasOneUsageRow, isAnyOf, lockText } from '../dialect.ts';
import { prepared } from '../prepared.ts';
import { checkWithNext } from '../transaction.ts';

/** What a subject has stored, and what its open upload sessions reserve. */
export interface Usage {
  /** Open upload sessions. */
  uploads: number;
  /** Total size of the files of open upload sessions, in bytes. */
  promisedBytes: number;
  storedBytes: number;
  /** Folders and media. */
  items: number;
}

interface SubjectUsage extends Usage {
  subject: string;
  /** Number of rows. */
  parts: number;
}

const usagesOf = prepared<{ subjects: readonly string[] }, SubjectUsage>({
  isLookup: true,
  keyOf: () => '',
  lookupsOf: ({ subjects }) => subjects.length,
  build: (db, _args, slot) =>
    db
      .selectFrom('usage')
      .where(
        isAnyOf(
          db,
          'subject',
          slot(({ subjects }) => subjects),
        ),
      )
      .groupBy('subject')
      .select((eb) => [
        'subject',
        eb.fn.sum<number>('uploads').as('uploads'),
        eb.fn.sum<number>('promised_bytes').as('promisedBytes'),
        eb.fn.sum<number>('stored_bytes').as('storedBytes'),
        eb.fn.sum<number>('items').as('items'),
        eb.fn.countAll<number>().as('parts'),
      ]),
});

/** The usage of each subject that has any. */
export type Usages = ReadonlyMap<string, Usage>;

/** Returns the usage of each subject that has any. */
export async function findUsages(db: Db, subjects: readonly string[]): Promise<Usages> {
  const rows = await usagesOf(db, { subjects });
  await compactLong(db, rows);
  return toUsages(rows);
}

/**
 * Runs `check`, which throws to stop the transaction, with the usage of each subject that has any. On SQLite it runs
 * together with the next statement of the transaction.
 */
export async function checkUsages(
  db: Db,
  subjects: readonly string[],
  check: (usages: Usages) => void,
): Promise<void> {
  let found: SubjectUsage[] = [];
  await checkWithNext(db, usagesOf.compile(db, { subjects }), (rows) => {
    found = rows;
    check(toUsages(rows));
  });
  await compactLong(db, found);
}

function toUsages(rows: readonly SubjectUsage[]): Usages {
  return new Map(rows.map(({ subject, parts: _, ...usage }) => [subject, usage]));
}

async function compactLong(db: Db, rows: readonly SubjectUsage[]): Promise<void> {
  for (const { subject, parts } of rows) {
    if (parts > PARTS_MAX) await compactUsage(db, subject);
  }
}

/** Maximum number of rows of a subject that are summed without merging. Summing them takes about 50 µs. */
const PARTS_MAX = 200;

/** Maximum number of rows that are merged at once. */
const MERGED_MAX = 10_000;

/**
 * Merges the rows of a subject that no other transaction is merging. Readers see all of the old rows or the new one.
 * Does nothing on SQLite, where a subject has one row.
 */
async function compactUsage(db: Db, subject: string): Promise<void> {
  await sql`
    with merged as (
      delete from usage where id in (
        select id from usage where subject = ${subject}
        order by id limit ${sql.lit(MERGED_MAX)} for update skip locked)
      returning *)
    insert into usage (subject, uploads, promised_bytes, stored_bytes, items)
    select subject, sum(uploads), sum(promised_bytes), sum(stored_bytes), sum(items)
    from merged group by subject`.execute(db);
}

/** Merges the rows of every subject that has many. Call it regularly, for subjects whose usage nobody reads. */
export async function compactUsages(db: Db): Promise<void> {
  if (hasOneUsageRow(db)) return;
  const subjects = await db
    .selectFrom('usage')
    .groupBy('subject')
    .having((eb) => eb.fn.countAll(), '>', PARTS_MAX)
    .select('subject')
    .execute();
  for (const { subject } of subjects) await compactUsage(db, subject);
}

/**
 * Makes other transactions that lock one of these subjects wait until this one ends. To avoid deadlocks, call it once,
 * before any other lock of the transaction.
 */
export async function lockUsages(db: Db, subjects: readonly string[]): Promise<void> {
  for (const subject of [...subjects].sort()) await lockText(db, subject);
}
