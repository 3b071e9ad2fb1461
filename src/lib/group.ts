/** Groups rows by the id of their parent, and converts each. The rows of a group keep their order. */
export function groupById<Row, Item>(
  rows: readonly Row[],
  parentId: (row: Row) => number,
  toItem: (row: Row) => Item,
): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const row of rows) {
    const id = parentId(row);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [toItem(row)]);
    else group.push(toItem(row));
  }
  return groups;
}
