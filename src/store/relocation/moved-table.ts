import type { MoveConnection, MovedColumn, MovedTable } from './connection.ts';

/**
 * Tables that a move does not copy: those that describe the database or the move itself, and those that belong to a
 * storage.
 */
const OWN = /^(migration|library_move|move_change|blob_hold|sqlite_.*)$/;

/** The tables of staged bytes, which are copied as bytes unless the bucket stays the same. */
const STAGED = /^staged(_part|_piece)?$/;

/** Tables that triggers on `media_words` fill: the search index, which each database has in a form of its own. */
const DERIVED = /^(media_search(_.*)?|media_words_sample)$/;

/** The tables whose rows count others. A move copies their sums. */
const COUNTS = 'usage';

const SHAPES = {
  sqlite: `select m.name, c.name as "column", c.type, c.pk as place
    from sqlite_master m join pragma_table_xinfo(m.name) c
    where m.type = 'table' and c.hidden = 0`,
  postgres: `select c.relname::text as name, a.attname::text as "column",
      format_type(a.atttypid, null) as type,
      coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) as place
    from pg_class c join pg_attribute a on a.attrelid = c.oid
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''`,
};

const TYPES: Readonly<Record<string, MovedColumn['type']>> = {
  integer: 'integer',
  bigint: 'integer',
  real: 'real',
  'double precision': 'real',
  text: 'text',
  blob: 'binary',
  bytea: 'binary',
};

interface ShapeRow {
  name: string;
  column: string;
  type: string;
  /** Place in the primary key, from 1; 0: not part of it. */
  place: number;
}

/**
 * Lists the tables that a move copies, in the order of their names, so that a new table cannot be forgotten. `usage` is
 * one whose rows are sums by subject. `hasStagedRows`: with the tables of staged bytes. Throws an Error for a table or column that a move could not copy.
 */
export async function listMovedTables(
  connection: MoveConnection,
  hasStagedRows = false,
): Promise<MovedTable[]> {
  const rows = await connection.run<ShapeRow>(SHAPES[connection.dialect]);
  const tables = Map.groupBy(rows, ({ name }) => name);
  return [...tables]
    .filter(([name]) => !OWN.test(name) && !DERIVED.test(name))
    .filter(([name]) => hasStagedRows || !STAGED.test(name))
    .map(([name, columns]) => toTable(name, columns))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function toTable(name: string, rows: readonly ShapeRow[]): MovedTable {
  if (name === COUNTS) return toCounts(rows);
  const columns = rows.map(toColumn).sort((a, b) => (a.name < b.name ? -1 : 1));
  const key = rows
    .filter(({ place }) => place > 0)
    .sort((a, b) => a.place - b.place)
    .map(toColumn);
  if (key.length === 0) throw new Error(`The table ${name} has no primary key.`);
  return { name, columns, key };
}

/** The ids of counts mean nothing, and PostgreSQL has several rows for one subject. */
function toCounts(rows: readonly ShapeRow[]): MovedTable {
  const { columns } = toTable(`${COUNTS}.`, rows);
  const isSubject = ({ name }: MovedColumn) => name === 'subject';
  return {
    name: COUNTS,
    columns: columns.filter(({ name }) => name !== 'id'),
    key: columns.filter(isSubject),
  };
}

/** Tells whether the rows of a table are counted, not copied one by one. */
export function isCounts({ name }: MovedTable): boolean {
  return name === COUNTS;
}

function toColumn({ name, column, type }: ShapeRow): MovedColumn {
  const known = TYPES[type.toLowerCase()];
  if (known === undefined) throw new Error(`The column ${name}.${column} has the type ${type}.`);
  return { name: column, type: known };
}

/** Throws an Error unless two databases have the same tables and columns. */
export function requireSameTables(
  source: readonly MovedTable[],
  target: readonly MovedTable[],
): void {
  const [ours, others] = [JSON.stringify(source), JSON.stringify(target)];
  if (ours !== others) throw new Error(`The databases have different tables: ${ours}, ${others}`);
}
