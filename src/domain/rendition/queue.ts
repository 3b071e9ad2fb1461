import { createSingleFlight, type SingleFlight } from '../../lib/single-flight.ts';
import { BrokenImageError } from '../../media/probe.ts';
import { ServerBusyError } from '../error.ts';

/** How long a rendition waits for its turn when the queue is full, about. */
const RETRY_AFTER_MS = 5000;

/**
 * Creates the queue of the renditions that this process is making: 64 at most, two of them at once. An image
 * that was found to be broken is not tried again for a minute. Throws ServerBusyError when it is full.
 */
export function createRenderQueue({ clock }: { clock: () => number }): SingleFlight {
  return createSingleFlight({
    clock,
    isFinal: (error) => error instanceof BrokenImageError,
    tooMany: () => new ServerBusyError(RETRY_AFTER_MS),
  });
}
