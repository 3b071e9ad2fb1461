import { createSingleFlight, type SingleFlight } from '../../lib/single-flight.ts';
import { BrokenImageError } from '../../media/probe.ts';
import { LostMotionError } from '../../media/render.ts';
import { ServerBusyError } from '../error.ts';

/** Renditions in progress at once: two render (see `media/decode-memory`), while others read and write. */
const RUNNING_MAX = 4;

/** Waiting renditions of one viewer, or of one address without a credential: about those of one page of images. */
const GROUP_WAITING_MAX = 60;
const WAITING_MAX = 1000;

/** Maximum wait for a turn. Few people wait longer for an image to appear. */
const PATIENCE_MS = 20_000;

/**
 * Creates the queue of this process's renditions. Viewers take turns, so that one that requests many renditions delays
 * only itself. A broken image is not tried again for a minute, nor is one that takes too long, or an animation
 * that would stand still. The queue throws ServerBusyError when it is full, and
 * after 20 seconds without a turn.
 */
export function createRenderQueue({ clock }: { clock: () => number }): SingleFlight {
  return createSingleFlight({
    clock,
    isFinal: (error) => error instanceof BrokenImageError || error instanceof LostMotionError,
    patienceMs: PATIENCE_MS,
    turns: {
      runningMax: RUNNING_MAX,
      waitingMax: WAITING_MAX,
      groupWaitingMax: GROUP_WAITING_MAX,
      tooBusy: () => new ServerBusyError(),
    },
  });
}
