import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import { endOfPath } from '../path.ts';
import type { DeletionRow, NewTrashWorkRow, TrashedNodeRow, TrashWorkRow } from '../table.ts';

/** A part of the trash: the nodes of a deletion whose `place` begins with `below`. */
export interface TrashPart {
  deletion: string;
  below: string;
}

/** Returns the nodes below a node in the trash, as a part. */
export function partBelow({
  id,
  deletion,
  place,
}: Pick<TrashedNodeRow, 'id' | 'deletion' | 'place'>): TrashPart {
  return { deletion, below: `${place}${id}/` };
}

/**
 * Returns the first `limit` nodes of a part: with `up`, each after everything below it, otherwise each after the folder
 * that contains it.
 */
export function listTrashedIn(
  db: Db,
  { deletion, below }: TrashPart,
  { limit, up }: { limit: number; up: boolean },
): Promise<TrashedNodeRow[]> {
  const direction = up ? 'desc' : 'asc';
  return inPart(db, { deletion, below })
    .orderBy('place', direction)
    .orderBy('id', direction)
    .limit(limit)
    .selectAll()
    .execute();
}

/** Returns the number of nodes of a part. */
export async function countTrashedIn(db: Db, part: TrashPart): Promise<number> {
  const count = inPart(db, part).select(({ fn }) => fn.countAll<number>().as('count'));
  return Number((await count.executeTakeFirstOrThrow()).count);
}

function inPart(db: Db, { deletion, below }: TrashPart) {
  return db
    .selectFrom('trashed_node')
    .where('deletion', '=', deletion)
    .where('place', '>=', below)
    .where('place', '<', endOfPath(below));
}

/** The place of a node in the trash, which another node can join. */
export type TrashedPlace = Pick<
  TrashedNodeRow,
  'id' | 'deletion' | 'place' | 'deleted_at' | 'deleted_by'
>;

/** Returns the places of nodes in the trash, unordered. */
export function listTrashedPlaces(db: Db, ids: readonly number[]): Promise<TrashedPlace[]> {
  return db
    .selectFrom('trashed_node')
    .where(isAnyOf(db, 'id', ids))
    .select(['id', 'deletion', 'place', 'deleted_at', 'deleted_by'])
    .execute();
}

/** Sets columns of a node in the trash. */
export async function updateTrashed(
  db: Db,
  id: number,
  columns: Partial<
    Pick<TrashedNodeRow, 'deletion' | 'place' | 'is_top' | 'is_owner_top' | 'deleted_at'>
  > & { deleted_by?: string | null },
): Promise<void> {
  await db.updateTable('trashed_node').set(columns).where('id', '=', id).execute();
}

/** Inserts the work on a part, which the trash no longer shows from then on. Returns its id. */
export async function insertTrashWork(
  db: Db,
  { below, ...work }: Omit<NewTrashWorkRow, 'below_end'>,
): Promise<number> {
  const row = { ...work, below, below_end: endOfPath(below) };
  const inserted = db.insertInto('trash_work').values(row).returning('id');
  return (await inserted.executeTakeFirstOrThrow()).id;
}

/** Returns the work of an id. */
export function findTrashWork(db: Db, id: number): Promise<TrashWorkRow | undefined> {
  return db.selectFrom('trash_work').where('id', '=', id).selectAll().executeTakeFirst();
}

/** Returns the work of all jobs. */
export function listTrashWork(db: Db): Promise<TrashWorkRow[]> {
  return inline(db).selectFrom('trash_work').selectAll().execute();
}

/** Deletes work that is done. */
export async function deleteTrashWork(db: Db, id: number): Promise<void> {
  await db.deleteFrom('trash_work').where('id', '=', id).execute();
}

/** Returns the deletion, still in progress, that moves its nodes into the trash under this UUID. */
export function findDeletionInto(db: Db, trash: string): Promise<DeletionRow | undefined> {
  return db.selectFrom('deletion').where('trash', '=', trash).selectAll().executeTakeFirst();
}
