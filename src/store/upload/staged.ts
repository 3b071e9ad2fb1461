import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { updatesRow } from '../result.ts';
import type { StagedPartRow, StagedPieceRow, StagedRow } from '../table.ts';

/** Returns the row of staged bytes. */
export function findStaged(db: Db, key: string): Promise<StagedRow | undefined> {
  return db.selectFrom('staged').where('blob_key', '=', key).selectAll().executeTakeFirst();
}

/** Inserts the row of new staged bytes. Returns false if there is one already. */
export async function insertStaged(db: Db, row: StagedRow): Promise<boolean> {
  const inserted = await db
    .insertInto('staged')
    .values(row)
    .onConflict((conflict) => conflict.column('blob_key').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/** Replaces the row of staged bytes that has this version, and locks it. Returns false if there is none. */
export function updateStaged(
  db: Db,
  { blob_key, part_bytes: _, ...columns }: StagedRow,
  version: number,
): Promise<boolean> {
  return updatesRow(
    db
      .updateTable('staged')
      .set(columns)
      .where('blob_key', '=', blob_key)
      .where('version', '=', version),
  );
}

/** Deletes staged bytes with their parts and pieces. Returns false if there were none. */
export async function deleteStaged(db: Db, key: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('staged')
    .where('blob_key', '=', key)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Returns rows with keys after this one, in the order of the keys. */
export function listStaged(db: Db, after: string, limit: number): Promise<StagedRow[]> {
  return db
    .selectFrom('staged')
    .where('blob_key', '>', after)
    .orderBy('blob_key')
    .limit(limit)
    .selectAll()
    .execute();
}

/** Returns the parts of staged bytes, in the order of their numbers. */
export function listStagedParts(db: Db, key: string): Promise<StagedPartRow[]> {
  return db
    .selectFrom('staged_part')
    .where('blob_key', '=', key)
    .orderBy('number')
    .selectAll()
    .execute();
}

/** Notes a part, in place of one with the same number. */
export async function putStagedPart(db: Db, part: StagedPartRow): Promise<void> {
  const { size_bytes, etag } = part;
  await db
    .insertInto('staged_part')
    .values(part)
    .onConflict((conflict) =>
      conflict.columns(['blob_key', 'number']).doUpdateSet({ size_bytes, etag }),
    )
    .execute();
}

/** Deletes all parts of staged bytes. */
export async function deleteStagedParts(db: Db, key: string): Promise<void> {
  await db.deleteFrom('staged_part').where('blob_key', '=', key).execute();
}

/** Inserts pieces; does nothing if there are none. */
export async function insertStagedPieces(db: Db, pieces: StagedPieceRow[]): Promise<void> {
  if (pieces.length > 0) await db.insertInto('staged_piece').values(pieces).execute();
}

/** Deletes the pieces that begin before `keptFrom`, or at `cutAt` or later. */
export async function deleteStagedPieces(
  db: Db,
  key: string,
  { keptFrom, cutAt }: { keptFrom: number; cutAt: number },
): Promise<void> {
  await db
    .deleteFrom('staged_piece')
    .where('blob_key', '=', key)
    .where((where) => where.or([where('position', '<', keptFrom), where('position', '>=', cutAt)]))
    .execute();
}

/** Cuts the piece that reaches past `cutAt`. `pieceBytesMax`: no piece is longer. */
export async function cutStagedPiece(
  db: Db,
  key: string,
  { cutAt, pieceBytesMax }: { cutAt: number; pieceBytesMax: number },
): Promise<void> {
  await db
    .updateTable('staged_piece')
    .set({
      bytes: sql<Buffer>`substr(bytes, 1, cast(${cutAt} - position as integer))`,
    })
    .where('blob_key', '=', key)
    .where('position', '<', cutAt)
    .where('position', '>', cutAt - pieceBytesMax)
    .where(sql<boolean>`position + length(bytes) > ${cutAt}`)
    .execute();
}

/** Returns the pieces that hold bytes from `start` on, in order. */
export function listStagedPieces(
  db: Db,
  key: string,
  { start, limit }: { start: number; limit: number },
): Promise<StagedPieceRow[]> {
  return db
    .selectFrom('staged_piece')
    .where('blob_key', '=', key)
    .where('position', '>=', (query) =>
      query
        .selectFrom('staged_piece')
        .where('blob_key', '=', key)
        .where('position', '<=', start)
        .select((first) => sql<number>`coalesce(${first.fn.max('position')}, 0)`.as('position')),
    )
    .orderBy('position')
    .limit(limit)
    .selectAll()
    .execute();
}
