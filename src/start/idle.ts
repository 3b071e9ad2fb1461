import { performance } from 'node:perf_hooks';
import { loadCollector } from './collect.ts';

/** Options of `collectWhenIdle`, for tests. */
export interface IdleOptions {
  /** How often the load is measured. (Default: 2,000) */
  intervalMs?: number;
  /** Frees the memory. (Default: collects all garbage) */
  collect?: () => void;
  /** Returns the fraction of the time since its last call in which this thread has worked. (Default: measured) */
  measure?: () => number;
}

/** Fractions of an interval in which the process works: below the first it is idle, above the second it has worked. */
const IDLE = 0.01;
const BUSY = 0.1;

/** Minimum number of intervals between two collections: a collection blocks all requests for about 0.1 s. */
const REST_INTERVALS = 30;

/**
 * Frees memory whenever the process becomes idle after work, for the first time after its start. By itself, V8 would keep
 * the garbage and the empty pages of the last work. Returns the function that ends this.
 */
export function collectWhenIdle({
  intervalMs = 2000,
  collect,
  measure = utilizationMeter(),
}: IdleOptions = {}): () => void {
  const free = collect ?? allCollector();
  let hasWorked = true;
  let restedIntervals = REST_INTERVALS;
  const timer = setInterval(() => {
    const utilization = measure();
    restedIntervals += 1;
    if (utilization > BUSY) hasWorked = true;
    if (!hasWorked || utilization > IDLE || restedIntervals < REST_INTERVALS) return;
    hasWorked = false;
    restedIntervals = 0;
    free();
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

function utilizationMeter(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

function allCollector(): () => void {
  const collect = loadCollector();
  return () => collect('all');
}
