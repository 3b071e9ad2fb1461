import { TooManyRequestsError } from '../domain/error.ts';
import type { Tally } from '../domain/event/tally.ts';
import type { LimitName } from '../domain/exceeded-limit.ts';
import { type Sender, subjectsOf } from '../domain/viewer/subject.ts';

/**
 * Takes a slot for a long response. Returns the function that frees it. Throws TooManyRequestsError if the viewer, its
 * address or this server has too many of them.
 */
export type TakeSlot = (sender: Sender) => () => void;

/** Numbers of slots; 0: no limit. */
export interface SlotLimits {
  name: LimitName;
  /** Of one viewer. */
  viewerMax: number;
  /** All viewers of one address may have this many times as many. */
  addressFactor: number;
  /** Of all viewers. */
  totalMax: number;
}

/** Delay before a retry after too many responses: another one has to end first. */
const RETRY_AFTER_MS = 30_000;

/** Name of the counter of all slots. */
const ALL = 'all';

/**
 * Creates the slots of a server. `taken` counts them, in all of its workers. Each machine counts its own, because they
 * stand for its memory.
 */
export function createSlots(options: SlotLimits, taken: Tally): TakeSlot {
  const { name: limitName, viewerMax, addressFactor, totalMax } = options;
  const change = (names: readonly string[], by: 1 | -1) => {
    for (const name of names) taken.change(name, by);
  };
  return (sender) => {
    const limits = new Map<string, number>([[ALL, totalMax]]);
    for (const { name, isAddress } of subjectsOf(sender)) {
      limits.set(name, viewerMax * (isAddress ? addressFactor : 1));
    }
    for (const [name, limit] of limits) {
      if (limit === 0 || taken.get(name) < limit) continue;
      throw new TooManyRequestsError(RETRY_AFTER_MS, { name: limitName, limit });
    }
    const names = [...limits.keys()];
    change(names, 1);
    let isFree = false;
    return () => {
      if (!isFree) change(names, -1);
      isFree = true;
    };
  };
}
