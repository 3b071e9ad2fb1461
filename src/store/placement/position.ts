import { type SqlBool, sql } from 'kysely';
import { keysetBy, pageClause } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, tableBy } from '../dialect.ts';
import { type PathMoves, withActualPaths } from '../path-move.ts';
import { valuesById } from '../plan.ts';
import type { ScopeColumns } from '../scope.ts';
import type { NodeRow } from '../table.ts';

/** A child of a folder at its position. */
export type Sibling = ScopeColumns & Pick<NodeRow, 'type' | 'sort_order'>;

/** The place of a child among its siblings. */
export type SiblingPlace = Pick<Sibling, 'id' | 'sort_order'>;

/** A part of the children of a folder. */
export interface SiblingPart {
  parentId: number;
  /** The place to start at, which is not part of it. Null: the end of the folder that the part begins at. */
  from: SiblingPlace | null;
  /** True: towards the first child. */
  backward: boolean;
  limit: number;
  /** Children that are left out. */
  exceptIds?: readonly number[];
}

const BY_POSITION = keysetBy('siblings', { name: 'sort_order', type: 'number' });

/** Returns the children of a folder in a direction, the nearest first. */
export async function listSiblings(
  db: Db,
  moved: PathMoves,
  { parentId, from, backward, limit, exceptIds = [] }: SiblingPart,
): Promise<Sibling[]> {
  const position = from === null ? undefined : [from.sort_order, from.id];
  const page = { limit, looksAhead: false, backward, [backward ? 'before' : 'after']: position };
  const refs = [sql.ref('media.sort_order'), sql.ref('media.id')];
  const isOther = sql<SqlBool>`not (${isAnyOf(db, 'media.id', exceptIds)})`;
  const where = [
    sql<SqlBool>`media.parent_id = ${parentId}`,
    ...(exceptIds.length > 0 ? [isOther] : []),
  ];
  const { rows } = await sql<Sibling>`
    select id, type, sort_order, parent_id, path, owner, is_public
    from ${tableBy(db, 'media', 'media_parent')}
    ${pageClause(refs, BY_POSITION, page, where)}`.execute(db);
  return withActualPaths(moved, rows);
}

/** A search for room among the children of a folder, from a child in a direction. */
export interface RoomSearch {
  parentId: number;
  from: SiblingPlace;
  backward: boolean;
  /** Number of nodes that need room. */
  count: number;
}

/**
 * Returns the nearest child in a direction up to which there are enough free positions for the nodes and all children
 * before it, and its distance in children; undefined if there is none before the end of the folder.
 */
export async function findRoom(
  db: Db,
  { parentId, from, backward, count }: RoomSearch,
): Promise<(SiblingPlace & { distance: number }) | undefined> {
  const [sign, direction] = backward ? [-1, sql`desc`] : [1, sql`asc`];
  const { rows } = await sql<SiblingPlace & { distance: number }>`
    select id, sort_order, distance from (
      select id, sort_order,
        row_number() over (order by sort_order ${direction}, id ${direction}) as distance
      from ${tableBy(db, 'media', 'media_parent')}
      where parent_id = ${parentId}
        and (sort_order, id) ${sql.raw(backward ? '<' : '>')} (${from.sort_order}, ${from.id})
    ) numbered
    where ${sql.lit(sign)} * sort_order - distance >= ${sign * from.sort_order + count}
    order by distance limit 1`.execute(db);
  return rows[0];
}

/** Returns the number of children of a folder that follow a child in a direction. */
export async function countSiblings(
  db: Db,
  { parentId, from, backward }: Omit<RoomSearch, 'count'>,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${tableBy(db, 'media', 'media_parent')}
    where parent_id = ${parentId}
      and (sort_order, id) ${sql.raw(backward ? '<' : '>')} (${from.sort_order}, ${from.id})`.execute(
    db,
  );
  return Number(rows[0]?.count ?? 0);
}

/** Sets the positions of nodes by their ids, with one statement. The time of their last change stays. */
export async function updatePositions(
  db: Db,
  sortOrders: ReadonlyMap<number, number>,
): Promise<void> {
  if (sortOrders.size === 0) return;
  await sql`update media set sort_order = given.value from ${valuesById(db, sortOrders)}
    where media.id = given.id`.execute(db);
}
