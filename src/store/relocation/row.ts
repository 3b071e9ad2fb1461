import type { DialectName } from '../dialect.ts';
import type { MoveConnection, MovedColumn, MovedTable, Value } from './connection.ts';
import { isCounts } from './moved-table.ts';

/** Characters of the rows that are written together, about a megabyte. */
const BATCH_CHARS = 2 ** 20;

/** Rows that are written together. */
const BATCH_ROWS = 2000;

/** Yields all rows of a table, some at a time, in the order of the primary key. Only in a snapshot. */
export function readRows(
  connection: MoveConnection,
  table: MovedTable,
): AsyncGenerator<readonly Value[][]> {
  const text = rowsText(connection.dialect, table);
  return inBatches(connection.stream<{ row: string }>(text, [], rowsMaxOf(table)));
}

/** Yields the rows of a table that have changed up to a round, as `readRows`. Leaves out those that are deleted. */
export function readChangedRows(
  connection: MoveConnection,
  table: MovedTable,
  round: number,
): AsyncGenerator<readonly Value[][]> {
  const { dialect } = connection;
  const changes = `(select distinct key from move_change where name = ? and round <= ?) changed`;
  const matches = table.key.map(
    (column, index) => `"${table.name}"."${column.name}" = ${keyPart(dialect, column, index)}`,
  );
  const text = `select ${arrayOf(dialect, table)} as row from ${changes}
    cross join "${table.name}" where ${matches.join(' and ')} ${orderOf(table)}`;
  return inBatches(connection.stream<{ row: string }>(text, [table.name, round], rowsMaxOf(table)));
}

/** Yields the keys of the rows of a table that have changed up to a round, also of those that are deleted. */
export function readChangedKeys(
  connection: MoveConnection,
  table: MovedTable,
  round: number,
): AsyncGenerator<readonly Value[][]> {
  const text = 'select distinct key as row from move_change where name = ? and round <= ?';
  return inBatches(connection.stream<{ row: string }>(text, [table.name, round]));
}

/** Returns rows again by their keys, in the order of the primary key. */
export async function findRows(
  connection: MoveConnection,
  table: MovedTable,
  keys: readonly (readonly Value[])[],
): Promise<Value[][]> {
  const { dialect } = connection;
  const given = dialect === 'postgres' ? 'json_array_elements(?::json)' : 'json_each(?)';
  const matches = table.key.map(
    (column, index) =>
      `"${table.name}"."${column.name}" = ${keyPart(dialect, column, index, 'given.value')}`,
  );
  const rows = await connection.run<{ row: string }>(
    `select ${arrayOf(dialect, table)} as row from ${given} given
      cross join "${table.name}" where ${matches.join(' and ')} ${orderOf(table)}`,
    [JSON.stringify(keys)],
  );
  return rows.map(({ row }) => JSON.parse(row));
}

/** Returns the values of the primary key of a row. */
export function keyOf({ columns, key }: MovedTable, row: readonly Value[]): Value[] {
  return key.map(({ name }) => row[columns.findIndex((column) => column.name === name)] ?? null);
}

/** Returns the number of rows of a table; of `usage`, that of subjects. */
export async function countRows(connection: MoveConnection, table: MovedTable): Promise<number> {
  const counted = isCounts(table) ? 'distinct subject' : '*';
  const [row] = await connection.run<{ count: number }>(
    `select count(${counted}) as count from "${table.name}"`,
  );
  return row?.count ?? 0;
}

/** Returns how many rows of a table may be in memory at once. Bytes in rows are up to 200 KiB long. */
function rowsMaxOf({ columns }: MovedTable): number {
  return columns.some(({ type }) => type === 'binary') ? 10 : 1000;
}

async function* inBatches(
  rows: AsyncIterable<{ row: string }>,
): AsyncGenerator<readonly Value[][]> {
  let batch: Value[][] = [];
  let chars = 0;
  for await (const { row } of rows) {
    batch.push(JSON.parse(row));
    chars += row.length;
    if (chars < BATCH_CHARS && batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
    chars = 0;
  }
  if (batch.length > 0) yield batch;
}

function rowsText(dialect: DialectName, table: MovedTable): string {
  return `select ${arrayOf(dialect, table)} as row from ${fromOf(dialect, table)} ${orderOf(table)}`;
}

/** Returns the table as a source of rows; of counts, their sums. */
function fromOf(dialect: DialectName, table: MovedTable): string {
  if (!isCounts(table)) return `"${table.name}"`;
  const sum = (name: string) =>
    dialect === 'postgres' ? `sum("${name}")::bigint` : `sum("${name}")`;
  const sums = table.columns
    .filter(({ name }) => name !== 'subject')
    .map(({ name }) => `${sum(name)} as "${name}"`);
  return `(select subject, ${sums} from usage group by subject) usage`;
}

/** Returns a row as a JSON array, in which big numbers and bytes keep their value. */
function arrayOf(dialect: DialectName, { name, columns }: MovedTable): string {
  const values = columns.map((column) => {
    const value = `"${name}"."${column.name}"`;
    if (column.type !== 'binary') return value;
    return dialect === 'postgres' ? `encode(${value}, 'hex')` : `lower(hex(${value}))`;
  });
  return dialect === 'postgres' ? `json_build_array(${values})::text` : `json_array(${values})`;
}

function orderOf({ name, key }: MovedTable): string {
  return `order by ${key.map((column) => `"${name}"."${column.name}"`)}`;
}

function keyPart(
  dialect: DialectName,
  { type }: MovedColumn,
  index: number,
  key = dialect === 'postgres' ? 'changed.key::json' : 'changed.key',
): string {
  const part = `(${key} ->> ${index})`;
  return dialect === 'postgres' && type === 'integer' ? `${part}::bigint` : part;
}
