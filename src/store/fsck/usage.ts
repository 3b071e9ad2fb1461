import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { hasOneUsageRow } from '../dialect.ts';
import type { Usage } from '../viewer/usage.ts';

/** By how much the stored usage of a subject is too small; negative: too large. */
export interface UsageError extends Usage {
  subject: string;
}

interface Counted {
  table: 'media' | 'file' | 'file_version' | 'upload' | 'trashed_node' | 'trashed_row';
  owner: string;
  where: string;
  /** `uploads`, `promised_bytes`, `stored_bytes` and `items` of the rows. */
  sums: readonly [string, string, string, string];
}

/** What the triggers of usages count, counted again. */
const COUNTED: readonly Counted[] = [
  { table: 'media', owner: 'owner', where: 'id <> 1', sums: ['0', '0', '0', 'count(*)'] },
  { table: 'trashed_node', owner: 'owner', where: '1 = 1', sums: ['0', '0', '0', 'count(*)'] },
  ...(['file', 'file_version', 'trashed_row'] as const).map(
    (table): Counted => ({
      table,
      owner: 'created_by',
      where: '1 = 1',
      sums: ['0', '0', 'coalesce(sum(size_bytes), 0)', '0'],
    }),
  ),
  {
    table: 'upload',
    owner: 'owner',
    where: `status = 'open'`,
    sums: ['count(*)', 'coalesce(sum(total_bytes), 0)', '0', '0'],
  },
];

const COLUMNS = ['uploads', 'promised_bytes', 'stored_bytes', 'items'] as const;

/**
 * Lists the first `limit` subjects whose stored usage differs from the rows that it counts. One statement, so that it
 * sees each change together with its usage.
 */
export async function listUsageErrors(db: Db, limit: number): Promise<UsageError[]> {
  const kept = sql.raw(
    `select subject, ${COLUMNS.map((name) => `-${name} as ${name}`)} from usage`,
  );
  const parts = sql.join([kept, ...COUNTED.flatMap(countsOf)], sql` union all `);
  const sums = COLUMNS.map((name) => `sum(${name})`);
  const differs = sums.map((sum) => `${sum} <> 0`).join(' or ');
  const { rows } = await sql<Record<keyof Usage, number | string> & { subject: string }>`
    select subject, ${sql.raw(NAMES.map((name, index) => `${sums[index]} as "${name}"`).join(', '))}
    from (${parts}) part group by subject having ${sql.raw(differs)} order by subject
    limit ${sql.lit(limit)}`.execute(db);
  return rows.map((row) => ({
    subject: row.subject,
    uploads: Number(row.uploads),
    promisedBytes: Number(row.promisedBytes),
    storedBytes: Number(row.storedBytes),
    items: Number(row.items),
  }));
}

const NAMES = ['uploads', 'promisedBytes', 'storedBytes', 'items'] as const;

function countsOf({ table, owner, where, sums }: Counted): RawBuilder<unknown>[] {
  const viewer = `case when ${owner} is not null then 'viewer:' || ${owner} else 'anonymous:' || client_hash end`;
  const counts = sums.map((sum, index) => `${sum} as ${COLUMNS[index]}`);
  return [`'all'`, viewer, `'address:' || client_hash`].map((subject) =>
    sql.raw(
      `select ${subject} as subject, ${counts} from ${table}
      where ${where} and ${subject} is not null group by 1`,
    ),
  );
}

/** Adds what a usage lacks. Changes that are made meanwhile are added, too. */
export async function addToUsage(db: Db, error: UsageError): Promise<void> {
  const { subject, uploads, promisedBytes, storedBytes, items } = error;
  const sums = COLUMNS.map((name) => `${name} = usage.${name} + excluded.${name}`);
  const merge = hasOneUsageRow(db) ? sql.raw(`on conflict (subject) do update set ${sums}`) : sql``;
  await sql`insert into usage (subject, uploads, promised_bytes, stored_bytes, items)
    values (${subject}, ${uploads}, ${promisedBytes}, ${storedBytes}, ${items}) ${merge}`.execute(
    db,
  );
}
