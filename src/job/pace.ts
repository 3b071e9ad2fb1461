import { availableParallelism } from 'node:os';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** Decides how many jobs may run, so that requests keep most of the processor. */
export interface Pace {
  /** Maximum number of jobs at once, besides those that wait for other servers. 0: they rest. */
  slots(): number;
  /** Milliseconds until the rest ends; 0 if there is none. */
  restMs(): number;
  /** Notes that a job starts, which needs no rest if its priority is low. Returns the function that notes its end. */
  start(isLowPriority?: boolean): () => void;
}

/** What a pace measures. */
export interface PaceOptions {
  /** Returns the time in which this process has been serving requests so far, in milliseconds. */
  servingMs: () => number;
  /** Cores that this process may use. */
  cores?: number;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
  /** See `performance.eventLoopUtilization`. */
  utilization?: (since?: EventLoopUtilization) => EventLoopUtilization;
}

/**
 * Share of its time that this thread works while requests need the processor, and in which there are requests. A client
 * that reads slowly, or waits for events, leaves the thread idle; another program that takes the processor makes it look
 * busy.
 */
const BUSY_SHARE = 0.35;

/**
 * Rest after a job on the only core, as a multiple of its duration: while it runs, it takes half of the core. So
 * requests keep more than nine tenths of what they have without jobs.
 */
const REST_FACTOR = 6;
const REST_MAX_MS = 3000;

/**
 * Creates a pace that measures how busy this thread, which serves all requests, is while a job runs. While it is busy,
 * one core is left to it; if there is only one, jobs run one at a time and rest after each. Otherwise nothing is
 * limited. Images are rendered by a process of low priority, and do not rest: see `media/rendition`.
 */
export function createPace({
  servingMs,
  cores = availableParallelism(),
  now = () => performance.now(),
  utilization = performance.eventLoopUtilization,
}: PaceOptions): Pace {
  let isBusy = false;
  let restsUntil = Number.NEGATIVE_INFINITY;
  const restMs = () => Math.max(0, restsUntil - now());
  return {
    slots() {
      if (restMs() > 0) return 0;
      return isBusy ? Math.max(1, cores - 1) : Number.POSITIVE_INFINITY;
    },
    restMs,
    start(isLowPriority = false) {
      const startedAt = now();
      const before = utilization();
      const servedBefore = servingMs();
      return () => {
        const durationMs = now() - startedAt;
        const served = servingMs() - servedBefore;
        isBusy = served >= durationMs * BUSY_SHARE && utilization(before).utilization >= BUSY_SHARE;
        if (isBusy && cores === 1 && !isLowPriority) {
          restsUntil = now() + Math.min(REST_MAX_MS, durationMs * REST_FACTOR);
        }
      };
    },
  };
}

/** The pace of a worker that takes no account of requests. */
export const UNPACED: Pace = {
  slots: () => Number.POSITIVE_INFINITY,
  restMs: () => 0,
  start: () => () => undefined,
};
