import { createSingleFlight, type SingleFlight } from '../../lib/single-flight.ts';
import { BrokenImageError } from '../../media/probe.ts';
import { ServerBusyError } from '../error.ts';

/**
 * Creates the queue of the renditions of this process: at most 64, of which two are rendered at once (see
 * `media/decode-memory`). A broken image is not tried again for a minute. The queue throws ServerBusyError when it is
 * full.
 */
export function createRenderQueue({ clock }: { clock: () => number }): SingleFlight {
  return createSingleFlight({
    clock,
    isFinal: (error) => error instanceof BrokenImageError,
    tooBusy: () => new ServerBusyError(),
  });
}
