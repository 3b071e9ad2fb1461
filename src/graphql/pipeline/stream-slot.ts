import type { Services } from '../../domain/context.ts';
import { createSlots, type TakeSlot } from '../../http/slot.ts';

/** Creates the slots for `noun`, subscriptions or their connections: each takes about 100 KiB of memory. */
export function createStreamSlots(
  { settings: { quotas }, tallyOf }: Pick<Services, 'settings' | 'tallyOf'>,
  noun: string,
): TakeSlot {
  const { subscriptionsMax: viewerMax, subscriptionsTotalMax: totalMax, addressFactor } = quotas;
  const limits = { name: 'subscriptions', viewerMax, totalMax, addressFactor } as const;
  return createSlots(limits, tallyOf(noun));
}
