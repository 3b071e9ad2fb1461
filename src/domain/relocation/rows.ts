import { setImmediate } from 'node:timers/promises';
import { blobOf, type MovedBlob, tablesWithBlobs } from '../../store/relocation/blob-list.ts';
import type { MoveConnection, MovedTable, Value } from '../../store/relocation/connection.ts';
import { isCounts } from '../../store/relocation/moved-table.ts';
import {
  countRows,
  findRows,
  keyOf,
  readChangedKeys,
  readChangedRows,
  readRows,
} from '../../store/relocation/row.ts';
import { MoveError } from './error.ts';

/** The databases of a move. */
export interface RowMove {
  /** In a snapshot. */
  from: MoveConnection;
  /** In a transaction. */
  to: MoveConnection;
  tables: readonly MovedTable[];
  signal: AbortSignal;
}

/** Replaces all rows of the target by those of the source. Calls `onRows` with the number of rows that are done. */
export async function copyRows(move: RowMove, onRows: (count: number) => void): Promise<void> {
  for (const { name } of move.tables) await move.to.run(`delete from "${name}"`);
  for (const table of move.tables) {
    for await (const rows of readRows(move.from, table)) {
      await writeRows(move, table, rows);
      onRows(rows.length);
    }
  }
}

/**
 * Makes the target equal to the source in the rows that have changed up to a round, and yields the blobs that these rows
 * name.
 */
export async function* applyChanges(move: RowMove, round: number): AsyncGenerator<MovedBlob> {
  const noted = move.tables.filter((table) => !isCounts(table));
  // All before the first insertion: values of unique columns may have changed places.
  for (const table of noted) {
    for await (const keys of readChangedKeys(move.from, table, round)) {
      await move.to.deleteRows(table, keys);
    }
  }
  const naming = tablesWithBlobs(noted);
  for (const table of noted) {
    for await (const rows of readChangedRows(move.from, table, round)) {
      await writeRows(move, table, rows);
      if (naming.includes(table)) yield* blobsOf(table, rows);
    }
  }
  for (const table of move.tables.filter(isCounts)) {
    await move.to.run(`delete from "${table.name}"`);
    for await (const rows of readRows(move.from, table)) await writeRows(move, table, rows);
  }
}

/** Yields the blobs that the rows name which have changed up to a round. */
export async function* changedBlobs(
  { from, tables }: Pick<RowMove, 'from' | 'tables'>,
  round: number,
): AsyncGenerator<MovedBlob> {
  for (const table of tablesWithBlobs(tables)) {
    for await (const rows of readChangedRows(from, table, round)) yield* blobsOf(table, rows);
  }
}

function blobsOf(table: MovedTable, rows: readonly Value[][]): MovedBlob[] {
  return rows.map((row) => blobOf(table, row)).filter((blob) => blob !== null);
}

/** Inserts rows and reads them back. Throws an Error if the target returns others. */
async function writeRows(
  { to, signal }: RowMove,
  table: MovedTable,
  rows: readonly Value[][],
): Promise<void> {
  // Reads and writes of SQLite block the thread: signals and timers get their turn here.
  await setImmediate();
  signal.throwIfAborted();
  await to.insertRows(table, rows);
  const keys = rows.map((row) => keyOf(table, row));
  if (toText(rows) !== toText(await findRows(to, table, keys)))
    throw new Error(`The target does not return the rows of ${table.name} as they were written.`);
}

/** PostgreSQL has a noncharacter in place of NUL: see `MoveConnection`. */
function toText(rows: readonly Value[][]): string {
  const text = JSON.stringify(rows);
  if (!text.includes('\\u0000')) return text;
  return JSON.stringify(rows, (_, value) =>
    typeof value === 'string' ? value.replaceAll('\0', '\ufffe') : value,
  );
}

/** Counts the rows of each table on both sides. Throws MoveError if they differ. */
export async function compareCounts({
  from,
  to,
  tables,
}: Omit<RowMove, 'signal'>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const [expected, actual] = [await countRows(from, table), await countRows(to, table)];
    if (expected !== actual)
      throw new MoveError(
        `The source has ${expected} rows of ${table.name}, and the target ${actual}: abort the move, and start anew.`,
      );
    counts[table.name] = actual;
  }
  return counts;
}
