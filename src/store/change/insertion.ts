import type { Compilable } from 'kysely';
import type { Db } from '../db.ts';
import { type Prepared, prepared } from '../prepared.ts';
import type { ToSlot } from '../slot.ts';

/**
 * Prepares an insertion, whose text depends on the columns of the row only. `build` gets the row with a slot for each of
 * its values.
 */
export function insertion<Row extends object, Inserted>(
  build: (db: Db, row: Row) => Compilable<unknown>,
): Prepared<Row, Inserted> {
  return prepared<Row, Inserted>({
    keyOf: (row) => columnsOf(row).join(' '),
    // A change never runs on this thread.
    lookupsOf: () => Number.POSITIVE_INFINITY,
    build: (db, row, slot) => build(db, withSlots(row, slot)),
  });
}

function withSlots<Row extends object>(row: Row, slot: ToSlot<Row>): Row {
  return Object.fromEntries(
    columnsOf(row).map((column) => [column, slot((row) => row[column])]),
  ) as Row;
}

/** Returns the columns that have a value, which may be null. */
function columnsOf<Row extends object>(row: Row): (keyof Row & string)[] {
  const columns = Object.keys(row) as (keyof Row & string)[];
  return columns.filter((column) => row[column] !== undefined);
}
