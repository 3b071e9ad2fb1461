import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { countRows, type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, isPart } from '../dialect.ts';
import type { Limits } from '../scope.ts';
import type { TrashedNodeRow } from '../table.ts';

/** The nodes in the trash that a viewer may see. */
export interface TrashSight {
  /** Only nodes of this owner; null: of every owner. */
  owner: string | null;
  /** Null: wherever they were. */
  within: Limits | null;
}

/** The order of the trash: by deletion, newest first. */
export const TRASH_ORDER: Keyset = {
  name: 'trash, last deleted first',
  columns: [
    { name: 'deleted_at', type: 'number' },
    { name: 'id', type: 'number' },
  ],
  descending: true,
};

/** Returns one page of the entries of the trash: the top node of each deletion, or each that is the top for its owner. */
export function listTrashedTops(
  db: Db,
  sight: TrashSight,
  page: PageRequest,
): Promise<RowPage<TrashedNodeRow>> {
  return listPage(tops(db, sight).selectAll(), TRASH_ORDER, page);
}

/** Returns the number of entries. */
export function countTrashedTops(db: Db, sight: TrashSight): Promise<number> {
  return countRows(tops(db, sight));
}

/** Returns the first entries, oldest first, that were deleted before a time and are in the trash as a whole. */
export function listOldestTops(
  db: Db,
  sight: TrashSight,
  { deletedBefore, limit }: { deletedBefore: number; limit: number },
): Promise<TrashedNodeRow[]> {
  return tops(db, sight)
    .where('deleted_at', '<', deletedBefore)
    .where(sql<boolean>`not exists (select 1 from "deletion" where trash = trashed_node.deletion)`)
    .orderBy('deleted_at')
    .orderBy('id')
    .limit(limit)
    .selectAll()
    .execute();
}

function tops(db: Db, { owner, within }: TrashSight) {
  const all = db.selectFrom('trashed_node').where(isShown());
  const entries =
    owner === null
      ? all.where('is_top', '=', sql.lit(1))
      : all.where('is_owner_top', '=', sql.lit(1)).where('owner', '=', owner);
  return within === null ? entries : entries.where(wasWithin(db, within));
}

/** Returns the nodes that the trash has, unordered: without those that a job restores or purges. */
export function listTrashedByIds(db: Db, ids: readonly number[]): Promise<TrashedNodeRow[]> {
  return db
    .selectFrom('trashed_node')
    .where(isAnyOf(db, 'id', ids))
    .where(isShown())
    .selectAll()
    .execute();
}

/** Returns `no job restores or purges the node`. */
function isShown(): RawBuilder<SqlBool> {
  return sql`not exists (select 1 from trash_work work where work.deletion = trashed_node.deletion
    and trashed_node.place >= work.below and trashed_node.place < work.below_end)`;
}

/** Returns `the node was within these limits`. A path contains the ids of all folders above the node. */
function wasWithin(db: Db, { subtrees, owner }: Limits): RawBuilder<SqlBool> {
  const parts = subtrees.map(
    ({ id }) => sql`(trashed_node.id = ${id} or ${isPart(db, ['trashed_node.path'], `/${id}/`)})`,
  );
  const isOwn = sql`(trashed_node.parent_id is null and trashed_node.owner = ${owner})`;
  return sql`(${sql.join([isOwn, ...parts], sql` or `)})`;
}
