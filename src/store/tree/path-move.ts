import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import {
  isInPart,
  type PathMove,
  type PathMoves,
  type PathPart,
  partsBelow,
} from '../path-move.ts';

/** Returns the moves in progress. */
export function listPathMoves(db: Db): Promise<PathMove[]> {
  return inline(db).selectFrom('path_move').selectAll().execute();
}

/** Replaces the moves in progress by others. Lock the tree first. */
export async function replacePathMoves(db: Db, moves: PathMoves): Promise<void> {
  await db.deleteFrom('path_move').execute();
  if (moves.length > 0)
    await db
      .insertInto('path_move')
      .values([...moves])
      .execute();
}

/** Returns the ids of the first `limit` nodes of a part. */
export async function listIdsInPart(
  db: Db,
  part: Pick<PathPart, 'prefix' | 'except'>,
  limit: number,
): Promise<number[]> {
  const rows = await db
    .selectFrom('media')
    .where(isInPart(part))
    .orderBy('path')
    .limit(limit)
    .select('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Returns the number of nodes whose paths begin with the `stored` of any of these moves. */
export async function countMovedNodes(db: Db, moves: PathMoves): Promise<number> {
  if (moves.length === 0) return 0;
  const parts = moves.map(({ stored }) => isInPart({ prefix: stored, except: [] }));
  const { count } = await db
    .selectFrom('media')
    .where(sql<boolean>`(${sql.join(parts, sql` or `)})`)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Replaces the prefix of the paths of these nodes, which all have it. */
export async function rewritePaths(
  db: Db,
  ids: readonly number[],
  { stored, actual }: PathMove,
): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('media')
    .set(placeAfter(stored, actual))
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

function placeAfter(
  stored: string,
  actual: string,
): { path: RawBuilder<string>; level: RawBuilder<number> } {
  return {
    path: sql`${actual} || substr(path, ${stored.length + 1})`,
    level: sql`level + ${depthOf(actual) - depthOf(stored)}`,
  };
}

function depthOf(path: string): number {
  return path.split('/').length;
}

/**
 * Returns the ids of the nodes below a folder, given by its current path, with the prefix that their paths have;
 * undefined if they are more than `max`.
 */
export async function listSmallSubtree(
  db: Db,
  moves: PathMoves,
  below: string,
  max: number,
): Promise<{ part: PathPart; ids: number[] }[] | undefined> {
  const found = [];
  let left = max;
  for (const part of partsBelow(moves, below)) {
    const ids = await listIdsInPart(db, part, left + 1);
    left -= ids.length;
    if (left < 0) return undefined;
    found.push({ part, ids });
  }
  return found;
}
