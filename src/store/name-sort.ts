import { nameSortKey } from '../lib/sort-key.ts';

/** Returns the columns of a row with the key that its name, if it is among them, is ordered by. */
export function withSortKey<Columns extends { name?: string | undefined }>(columns: Columns) {
  return columns.name === undefined
    ? columns
    : { ...columns, name_sort: nameSortKey(columns.name) };
}
