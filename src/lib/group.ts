/** Groups rows by the id of their parent, and converts each. The rows of a group keep their order. */
export function groupById<Row, Item>(
  rows: readonly Row[],
  parentId: (row: Row) => number,
  toItem: (row: Row) => Item,
): Map<number, Item[]> {
  const groups = Map.groupBy(rows, parentId);
  return new Map([...groups].map(([id, members]) => [id, members.map(toItem)]));
}
