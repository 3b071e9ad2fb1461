import type { Context } from '../../domain/context.ts';
import { TooManyRequestsError } from '../../domain/error.ts';
import { type Sender, subjectsOf } from '../../domain/viewer/subject.ts';

/**
 * Takes a slot for a subscription. Returns the function that frees it. Throws TooManyRequestsError if the viewer, its
 * address or this process has too many subscriptions.
 */
export type TakeStreamSlot = (sender: Sender) => () => void;

/** Delay before a retry after too many subscriptions: another one has to end first. */
const RETRY_AFTER_MS = 30_000;

/** Name of the counter of all subscriptions. */
const ALL = 'all';

/**
 * Creates the slots of this process. Each process counts its own subscriptions, because each takes about 100 KiB of its
 * memory.
 */
export function createStreamSlots({ quotas }: Context['settings']): TakeStreamSlot {
  const { subscriptionsMax, subscriptionsTotalMax, addressFactor } = quotas;
  const taken = new Map<string, number>();
  const change = (names: readonly string[], by: 1 | -1) => {
    for (const name of names) {
      const count = (taken.get(name) ?? 0) + by;
      if (count === 0) taken.delete(name);
      else taken.set(name, count);
    }
  };
  return (sender) => {
    const limits = new Map<string, number>([[ALL, subscriptionsTotalMax]]);
    for (const { name, isAddress } of subjectsOf(sender)) {
      limits.set(name, subscriptionsMax * (isAddress ? addressFactor : 1));
    }
    for (const [name, limit] of limits) {
      if (limit === 0 || (taken.get(name) ?? 0) < limit) continue;
      throw new TooManyRequestsError(RETRY_AFTER_MS, { name: 'subscriptions', limit });
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
