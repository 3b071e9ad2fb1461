import { sql } from 'kysely';
import type { Db } from '../db.ts';
import type { TableColumns } from './blob-row.ts';
import { listTables, namesOf } from './postgres-snapshot.ts';

/** The rows to load. */
export interface LoadedRows {
  /** Names of the tables that have rows. */
  tables: readonly string[];
  /** Yields the rows of a table as JSON. */
  rows(table: string): AsyncIterable<string>;
  /** The last value that the identity of each table has assigned. */
  sequences: Readonly<Record<string, number>>;
}

/**
 * Replaces all rows of a database, in a transaction. Triggers do not run, because the rows that they would make are
 * loaded too. Throws an Error for a table that the database does not have.
 */
export async function loadRows(db: Db, { tables, rows, sequences }: LoadedRows): Promise<void> {
  const own = await listTables(db);
  const known = new Map(own.map((table) => [table.name, table]));
  const references = await dropReferences(db);
  const all = sql.join(own.map(({ name }) => sql.table(name)));
  await sql`truncate ${all}`.execute(db);
  for (const { name } of own) await setTriggers(db, name, 'disable');
  for (const name of tables) {
    const table = known.get(name);
    if (table === undefined) throw new Error(`The database has no table ${name}.`);
    await loadTable(db, table, rows(name));
  }
  for (const { name } of own) await setTriggers(db, name, 'enable');
  for (const { table, name, definition } of references) {
    await sql`alter table ${sql.raw(table)} add constraint ${sql.ref(name)} ${sql.raw(definition)}`.execute(
      db,
    );
  }
  for (const [table, value] of Object.entries(sequences)) {
    if (!known.has(table)) continue;
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), ${value})`.execute(db);
  }
  await sql`analyze ${all}`.execute(db);
}

interface Reference {
  table: string;
  name: string;
  definition: string;
}

/** Drops all foreign keys, so that the order of the rows does not matter. Returns them. */
async function dropReferences(db: Db): Promise<Reference[]> {
  const { rows } = await sql<Reference>`
    select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition
    from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace`.execute(
    db,
  );
  for (const { table, name } of rows) {
    await sql`alter table ${sql.raw(table)} drop constraint ${sql.ref(name)}`.execute(db);
  }
  return rows;
}

async function setTriggers(db: Db, table: string, state: 'enable' | 'disable'): Promise<void> {
  await sql`alter table ${sql.table(table)} ${sql.raw(state)} trigger user`.execute(db);
}

/** Characters of one statement. */
const STATEMENT_CHARS = 2 ** 20;

async function loadTable(
  db: Db,
  { name, columns }: TableColumns,
  rows: AsyncIterable<string>,
): Promise<void> {
  let batch: string[] = [];
  let chars = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    const [table, names, json] = [sql.table(name), namesOf(columns), `[${batch.join(',')}]`];
    await sql`insert into ${table} (${names})
      select ${names} from json_populate_recordset(null::${table}, ${json}::json)`.execute(db);
    batch = [];
    chars = 0;
  };
  for await (const row of rows) {
    batch.push(row);
    chars += row.length;
    if (chars >= STATEMENT_CHARS) await flush();
  }
  await flush();
}

/** Returns whether the current schema holds no table. */
export async function isPostgresEmpty(db: Db): Promise<boolean> {
  return (await listTables(db)).length === 0;
}
