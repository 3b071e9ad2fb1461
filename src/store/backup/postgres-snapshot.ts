import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { withoutTimeout } from '../dialect.ts';
import { withoutTimeLimit } from '../limit.ts';
import { BLOB_COLUMNS, type BlobRow, blobRowText, type TableColumns } from './blob-row.ts';

/** A PostgreSQL database as it is at one moment. */
export interface PostgresSnapshot {
  /** The tables, with the columns that are stored. */
  tables: readonly TableColumns[];
  /** Yields the rows of a table as JSON. */
  rows(table: TableColumns): AsyncGenerator<string>;
  /** Yields the blobs in the order of their keys. */
  blobs(): AsyncGenerator<BlobRow>;
  /** Returns the last value that each identity has assigned. */
  sequences(): Promise<Record<string, number>>;
}

/** Runs `work` with the database as it is at one moment, while others read and write it. */
export function withPostgresSnapshot<T>(
  db: Db,
  work: (snapshot: PostgresSnapshot) => Promise<T>,
): Promise<T> {
  return withoutTimeLimit(db)
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (limited) => {
      const db = await withoutTimeout(limited);
      // A slow target may keep the transaction idle. Whole tables are read, and that is fastest in their own order.
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
      await sql`set local enable_seqscan = on`.execute(db);
      const tables = await listTables(db);
      return work({
        tables,
        rows: async function* (table) {
          const text = sql<{ row: string }>`select row_to_json(part)::text as row
            from (select ${namesOf(table.columns)} from ${sql.table(table.name)}) part`;
          for await (const { row } of byCursor(db, text)) yield row;
        },
        blobs: () => byCursor(db, sql<BlobRow>`${sql.raw(blobQuery(tables))}`),
        sequences: () => listSequences(db),
      });
    });
}

function blobQuery(tables: readonly TableColumns[]): string {
  return `select ${BLOB_COLUMNS} from (${blobRowText(tables)}) listed`;
}

/** Returns column names for a statement. */
export function namesOf(columns: readonly string[]) {
  return sql.join(columns.map((column) => sql.ref(column)));
}

/** Lists the tables of the current schema with the columns that are not computed. */
export async function listTables(db: Db): Promise<TableColumns[]> {
  const { rows } = await sql<{ name: string; columns: string[] }>`
    select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    group by c.relname order by c.relname`.execute(db);
  return rows;
}

/**
 * Returns the last value of the identity of each table that has one. It may be later than the rows, which is harmless.
 */
async function listSequences(db: Db): Promise<Record<string, number>> {
  const { rows } = await sql<{ name: string; value: number | null }>`
    select c.relname as name, pg_sequence_last_value(pg_get_serial_sequence(c.oid::regclass::text, 'id')::regclass)
      as value
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
      and a.attname = 'id' and a.attidentity <> ''`.execute(db);
  return Object.fromEntries(
    rows.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])),
  );
}

/** Rows of one message: a few megabytes at most. */
const FETCHED_ROWS = 1000;

/** Yields the rows of a query in constant memory. One query at a time. */
async function* byCursor<Row>(db: Db, query: ReturnType<typeof sql<Row>>): AsyncGenerator<Row> {
  await sql`declare snapshot_rows no scroll cursor for ${query}`.execute(db);
  for (;;) {
    const { rows } = await sql<Row>`fetch ${sql.lit(FETCHED_ROWS)} from snapshot_rows`.execute(db);
    yield* rows;
    if (rows.length < FETCHED_ROWS) break;
  }
  await sql`close snapshot_rows`.execute(db);
}
