import type { Sibling, SiblingPlace } from '../../store/placement/position.ts';
import { AFTER_LAST, BEFORE_FIRST, type Bounds, hasRoom, spread } from './spread.ts';

/** The largest number of siblings on one side that a placement renumbers together with placing the nodes. */
export const NEIGHBORS_MAX = 200;

/** The siblings on both sides of the place of new neighbors, the nearest first. */
export interface Neighborhood<Row extends SiblingPlace = Sibling> {
  before: readonly Row[];
  after: readonly Row[];
}

/** The positions that a placement sets. */
export interface Placement<Row extends SiblingPlace = Sibling> {
  /** The positions of the placed nodes, in their order. */
  sortOrders: readonly number[];
  /** The siblings that get other positions. Their order stays. */
  renumbered: ReadonlyMap<Row, number>;
}

/**
 * Returns the positions of `count` nodes between their neighbors, so that none of them, nor a neighbor, shares its
 * position. Renumbers as few siblings as possible: those that share the position of a neighbor, and those on one side
 * up to the nearest free positions. `before` and `after` have one sibling more than `NEIGHBORS_MAX`, unless the folder
 * ends before. Returns null if the free positions are farther away.
 */
export function planPlacement<Row extends SiblingPlace>(
  { before, after }: Neighborhood<Row>,
  count: number,
): Placement<Row> | null {
  const tied = { before: countTied(before), after: countTied(after) };
  const planned = planBeside({ before, after }, count, tied);
  // There may be no room for all that share a position: then they go on sharing it.
  return planned ?? planBeside({ before, after }, count, { before: 0, after: 0 });
}

function planBeside<Row extends SiblingPlace>(
  { before, after }: Neighborhood<Row>,
  count: number,
  tied: Taken,
): Placement<Row> | null {
  for (let more = 0; more <= NEIGHBORS_MAX; more++) {
    const choices: Taken[] = [
      { before: tied.before, after: tied.after + more },
      { before: tied.before + more, after: tied.after },
    ];
    for (const taken of choices) {
      const bounds = boundsOf({ before, after }, taken);
      if (bounds === null || !hasRoom(bounds, taken.before + count + taken.after)) continue;
      return place([...before.slice(0, taken.before)].reverse(), count, {
        after: after.slice(0, taken.after),
        bounds,
      });
    }
  }
  return null;
}

/** Numbers of siblings on both sides. */
interface Taken {
  before: number;
  after: number;
}

/** Returns how many of the nearest siblings have to leave the position that they share, so that one keeps it. */
function countTied(siblings: readonly SiblingPlace[]): number {
  const others = siblings.findIndex(({ sort_order }) => sort_order !== siblings[0]?.sort_order);
  const sharing = others === -1 ? siblings.length : others;
  return sharing > NEIGHBORS_MAX ? 0 : Math.max(0, sharing - 1);
}

/** Returns the bounds of the siblings that are taken on both sides; null if they are not known. */
function boundsOf({ before, after }: Neighborhood<SiblingPlace>, taken: Taken): Bounds | null {
  const low = boundOf(before, taken.before, BEFORE_FIRST);
  const high = boundOf(after, taken.after, AFTER_LAST);
  return low === null || high === null ? null : { low, high };
}

function boundOf(siblings: readonly SiblingPlace[], taken: number, end: number): number | null {
  const bound = siblings[taken];
  if (bound !== undefined) return bound.sort_order;
  return siblings.length === taken && taken <= NEIGHBORS_MAX ? end : null;
}

function place<Row extends SiblingPlace>(
  before: readonly Row[],
  count: number,
  { after, bounds }: { after: readonly Row[]; bounds: Bounds },
): Placement<Row> {
  const renumbered = before.length + after.length;
  const all = spread(bounds, renumbered + count, renumbered);
  const afterNodes = before.length + count;
  const siblings = [
    ...before.map((sibling, index) => [sibling, all[index] as number] as const),
    ...after.map((sibling, index) => [sibling, all[afterNodes + index] as number] as const),
  ];
  return {
    sortOrders: all.slice(before.length, afterNodes),
    renumbered: new Map(siblings.filter(([sibling, value]) => sibling.sort_order !== value)),
  };
}
