import { SORT_ORDER_MAX } from '../../store/tree/node.ts';

/** The least value of GraphQL's `Int`. */
const SORT_ORDER_MIN = -(2 ** 31);

/** Stands for the neighbor before the first child of a folder. */
export const BEFORE_FIRST = SORT_ORDER_MIN - 1;

/** Stands for the neighbor after the last child of a folder. */
export const AFTER_LAST = SORT_ORDER_MAX + 1;

/** The positions of the neighbors of a row of nodes, which are free between both. */
export interface Bounds {
  low: number;
  high: number;
}

/** Tells whether there is a position of its own for each node. */
export function hasRoom({ low, high }: Bounds, count: number): boolean {
  return high - low - 1 >= count;
}

/**
 * Returns the distance between the positions of nodes of which so many had a position before. The more nodes a placement
 * has to renumber, the more room it leaves between them: a folder is renumbered rarely, and a small one keeps small
 * numbers.
 */
export function distanceFor(renumbered: number, { low, high }: Bounds, count: number): number {
  const wanted = Math.max(1, Math.floor(renumbered / 8));
  return Math.min(wanted, Math.floor((high - low - 1) / count));
}

/**
 * Returns ascending positions for nodes between two neighbors that leave room for all of them. Between two children they
 * are as far apart as possible; at an end of the folder `distanceFor` decides.
 */
export function spread(bounds: Bounds, count: number, renumbered: number): number[] {
  const { low, high } = bounds;
  const [isFirst, isLast] = [low === BEFORE_FIRST, high === AFTER_LAST];
  if (!isFirst && !isLast) {
    const step = Math.floor((high - low) / (count + 1));
    return Array.from({ length: count }, (_, index) => low + step * (index + 1));
  }
  const step = distanceFor(renumbered, bounds, count);
  const start = isFirst ? (isLast ? 0 : high - step * count) : low + step;
  return Array.from({ length: count }, (_, index) => start + step * index);
}
