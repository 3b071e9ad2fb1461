import pg from 'pg';
import { clientConfig, closeClient } from '../postgres/client.ts';
import type { MoveConnection, MovedColumn, MovedTable, Value } from './connection.ts';

/** Rows of one message: a few megabytes at most. */
const FETCHED_ROWS = 1000;

const BEGIN = {
  snapshot: 'begin isolation level repeatable read read only',
  write: 'begin',
};

/** Opens a connection to a PostgreSQL database. Its statements have no time limit. */
export async function openPostgresConnection(url: string): Promise<MoveConnection> {
  const client = new pg.Client({ ...clientConfig(url), application_name: 'trivium move' });
  // The statement that runs, or the next one, fails with the same error.
  client.on('error', () => undefined);
  await client.connect();
  const run = async <Row>(text: string, parameters: readonly Value[] = []) => {
    const { rows } = await client.query(numbered(text), [...parameters]);
    return rows as Row[];
  };
  await run('set statement_timeout = 0');
  await run('set idle_in_transaction_session_timeout = 0');
  return {
    dialect: 'postgres',
    run,
    async *stream<Row>(text: string, parameters: readonly Value[] = [], rowsMax = FETCHED_ROWS) {
      await run(`declare move_rows no scroll cursor for ${text}`, parameters);
      for (;;) {
        const rows = await run<Row>(`fetch ${rowsMax} from move_rows`);
        yield* rows;
        if (rows.length < rowsMax) break;
      }
      await run('close move_rows');
    },
    async transact(mode, work) {
      await run(BEGIN[mode]);
      try {
        const result = await work();
        await run('commit');
        return result;
      } catch (error) {
        await run('rollback').catch(() => undefined);
        throw error;
      }
    },
    insertRows: (table, rows) => insertRows(run, table, rows),
    deleteRows: (table, keys) => deleteRows(run, table, keys),
    close: () => closeClient(client),
  };
}

/** Returns a statement with the parameters that PostgreSQL wants. No text of a statement has a question mark. */
function numbered(text: string): string {
  let count = 0;
  return text.replaceAll('?', () => `$${++count}`);
}

type Run = MoveConnection['run'];

async function insertRows(
  run: Run,
  { name, columns }: MovedTable,
  rows: readonly (readonly Value[])[],
): Promise<void> {
  const names = columns.map((column) => `"${column.name}"`);
  await run(
    `insert into "${name}" (${names}) select ${columns.map(toTyped)} from json_array_elements(?::json) given`,
    [toJson(rows)],
  );
}

async function deleteRows(
  run: Run,
  { name, key }: MovedTable,
  keys: readonly (readonly Value[])[],
): Promise<void> {
  const conditions = key.map(
    (column, index) => `"${name}"."${column.name}" = ${toTyped(column, index)}`,
  );
  await run(
    `delete from "${name}" using json_array_elements(?::json) given where ${conditions.join(' and ')}`,
    [toJson(keys)],
  );
}

/** Returns the JSON of rows. PostgreSQL has no NUL in text: as elsewhere in the store, a noncharacter takes its place. */
function toJson(rows: readonly (readonly Value[])[]): string {
  return JSON.stringify(rows, (_, value) =>
    typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffe') : value,
  );
}

const CASTS = { integer: '::bigint', real: '::double precision', text: '' };

/** Returns the value of a column in a JSON array. */
function toTyped({ type }: MovedColumn, index: number): string {
  const text = `(given.value ->> ${index})`;
  return type === 'binary' ? `decode(${text}, 'hex')` : `${text}${CASTS[type]}`;
}
