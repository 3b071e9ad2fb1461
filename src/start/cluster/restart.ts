/** Decides how soon a worker is started for one that has ended. */
export interface Restarts {
  /** Returns the delay before the next start, and counts it. */
  delayMs(): number;
}

/** The first restart is at once; each of those that follow waits twice as long as the one before. */
const FIRST_DELAY_MS = 100;
const DELAY_MAX_MS = 10_000;

/** Time after which an end is not counted with earlier ones. */
const CALM_MS = 60_000;

/** Creates the delays, as if no worker had ended yet. `now`: milliseconds. */
export function createRestarts(now: () => number = () => performance.now()): Restarts {
  let count = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  return {
    delayMs() {
      if (now() - lastAt > CALM_MS) count = 0;
      lastAt = now();
      count += 1;
      return count === 1 ? 0 : Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** (count - 2));
    },
  };
}
