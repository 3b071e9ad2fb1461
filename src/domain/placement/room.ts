import {
  countSiblings,
  findRoom,
  listSiblings,
  type SiblingPlace,
  updatePositions,
} from '../../store/placement/position.ts';
import type { Context } from '../context.ts';
import { NEIGHBORS_MAX } from './neighborhood.ts';
import { AFTER_LAST, BEFORE_FIRST, distanceFor } from './spread.ts';

/** The largest number of siblings that one transaction renumbers to make room: it takes about 20 ms. */
const SHIFTED_MAX = 1000;

/** The place that needs room: between two children of a folder, or at one of its ends. */
export interface NarrowPlace {
  parentId: number;
  before: SiblingPlace | undefined;
  after: SiblingPlace | undefined;
  /** Number of nodes that need room. */
  count: number;
}

/** The places before the first child of a folder and after the last one. */
const START: SiblingPlace = { id: 0, sort_order: BEFORE_FIRST };
const END: SiblingPlace = { id: Number.MAX_SAFE_INTEGER, sort_order: AFTER_LAST };

/** The nearest free positions on one side. */
interface Side {
  backward: boolean;
  from: SiblingPlace;
  /** The sibling after the free positions; null: they are at the end of the folder. */
  bound: SiblingPlace | null;
  /** Number of siblings up to the free positions. */
  distance: number;
}

/**
 * Brings free positions nearer to a place, by renumbering the siblings next to the nearest ones. Their order stays the
 * same, so that nobody notices a part of it. Call it, each time in a transaction of its own, with the tree locked, until
 * `planPlacement` finds room. The last calls leave free positions between all siblings that have been renumbered.
 */
export async function makeRoom(ctx: Context, place: NarrowPlace): Promise<void> {
  const sides = [await sideOf(ctx, place, false), await sideOf(ctx, place, true)];
  const [side] = sides.flatMap((side) => side ?? []).sort((a, b) => a.distance - b.distance);
  if (side === undefined) throw new Error(`The folder ${place.parentId} has no free positions.`);
  await shift(ctx, place, side);
}

async function sideOf(
  { db }: Context,
  { parentId, before, after, count }: NarrowPlace,
  backward: boolean,
): Promise<Side | null> {
  const from = (backward ? after : before) ?? (backward ? END : START);
  const search = { parentId, from, backward, count };
  const found = await findRoom(db, search);
  if (found !== undefined) return { backward, from, bound: found, distance: found.distance - 1 };
  const distance = await countSiblings(db, search);
  const free = backward ? from.sort_order - BEFORE_FIRST : AFTER_LAST - from.sort_order;
  return free - 1 < count + distance ? null : { backward, from, bound: null, distance };
}

async function shift(
  { db, pending }: Context,
  { parentId, count }: NarrowPlace,
  { backward, from, bound, distance }: Side,
): Promise<void> {
  const limit = Math.min(SHIFTED_MAX, Math.max(1, distance - NEIGHBORS_MAX));
  const part = { parentId, from: bound, backward: !backward, limit };
  const farthestFirst = await listSiblings(db, pending.current.moved, part);
  const end = backward ? BEFORE_FIRST : AFTER_LAST;
  const [low, high] = [from.sort_order, bound?.sort_order ?? end].sort((a, b) => a - b);
  const bounds = { low: low as number, high: high as number };
  const step = distanceFor(distance, bounds, count + distance) * (backward ? -1 : 1);
  const sortOrders = farthestFirst.map(
    ({ id }, index) => [id, from.sort_order + step * (count + distance - index)] as const,
  );
  await updatePositions(db, new Map(sortOrders));
}
