import type { Db } from '../db.ts';
import { inline } from '../inline.ts';
import { updatesRow } from '../result.ts';

/** A file, or a version of one, in the library or in the trash, with the bytes that a finding is about. */
export interface FileBytes {
  kind: 'file' | 'file_version' | 'trashed_row';
  id: number;
  blobKey: string;
}

/** Marks a file as damaged, unless it is marked already or has other bytes by now. Tells whether it did. */
export function markDamaged(
  db: Db,
  { kind, id, blobKey }: FileBytes,
  now: number,
): Promise<boolean> {
  return updatesRow(
    db
      .updateTable(kind as 'file')
      .set({ damaged_at: now })
      .where('id', '=', id)
      .where('blob_key', '=', blobKey)
      .where('damaged_at', 'is', null),
  );
}

/** Removes the mark of a damaged file, unless it has none or has other bytes by now. Tells whether it did. */
export function clearDamage(db: Db, { kind, id, blobKey }: FileBytes): Promise<boolean> {
  return updatesRow(
    db
      .updateTable(kind as 'file')
      .set({ damaged_at: null })
      .where('id', '=', id)
      .where('blob_key', '=', blobKey)
      .where('damaged_at', 'is not', null),
  );
}

/** Returns the number of files that are marked as damaged. An index holds them alone. */
export async function countDamaged(db: Db): Promise<number> {
  const { count } = await inline(db)
    .selectFrom('file')
    .where('damaged_at', 'is not', null)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** How far the library has been read again. */
export interface RehashPlace {
  /** The last blob key that was read; empty: none. */
  readUpTo: string;
  /** When the reading began at the first key, in milliseconds since 1970; null: never. */
  startedAt: number | null;
}

/** Returns the place. */
export async function findRehashPlace(db: Db): Promise<RehashPlace> {
  const row = await inline(db).selectFrom('rehash').selectAll().executeTakeFirst();
  return { readUpTo: row?.read_up_to ?? '', startedAt: row?.started_at ?? null };
}

/** Stores the place. */
export async function updateRehashPlace(
  db: Db,
  { readUpTo, startedAt }: RehashPlace,
): Promise<void> {
  const columns = { read_up_to: readUpTo, started_at: startedAt };
  await db
    .insertInto('rehash')
    .values({ id: 1, ...columns })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
    .execute();
}
