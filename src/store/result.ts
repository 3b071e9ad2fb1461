/** Runs a statement that updates one row at most; returns whether it did. */
export async function updatesRow(query: {
  executeTakeFirst(): Promise<{ numUpdatedRows: bigint }>;
}): Promise<boolean> {
  const { numUpdatedRows } = await query.executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Runs a statement that returns blob keys; returns them. */
export async function blobKeysOf(query: {
  execute(): Promise<{ blob_key: string }[]>;
}): Promise<string[]> {
  const rows = await query.execute();
  return rows.map((row) => row.blob_key);
}

/** Returns the row of a statement that returns exactly one. */
export function onlyRow<Row>([row, ...others]: readonly Row[]): Row {
  if (row === undefined || others.length > 0) throw new Error('Expected one row.');
  return row;
}
