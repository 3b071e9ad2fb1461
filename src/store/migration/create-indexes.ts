import type { Db } from '../db.ts';

/** Creates indexes, each given as its name, its table and its columns. */
export async function createIndexes(
  db: Db,
  indexes: readonly (readonly [name: string, table: string, columns: readonly string[]])[],
): Promise<void> {
  for (const [name, table, columns] of indexes) {
    await db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .execute();
  }
}
