import type { Context } from '../../domain/context.ts';
import { createSlots, type TakeSlot } from '../../http/slot.ts';

/** Creates the slots for the subscriptions of this process: each takes about 100 KiB of its memory. */
export function createStreamSlots({ quotas }: Context['settings']): TakeSlot {
  const { subscriptionsMax: viewerMax, subscriptionsTotalMax: totalMax, addressFactor } = quotas;
  return createSlots({ name: 'subscriptions', viewerMax, totalMax, addressFactor });
}
