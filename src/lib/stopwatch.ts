/** Measures how long at least one of several things has been going on. */
export interface Stopwatch {
  /** Notes that one begins. Call `end` once for each. */
  begin(): void;
  end(): void;
  /** Milliseconds so far, all periods together. */
  totalMs(): number;
}

/** Creates a stopwatch over a clock that never goes back. */
export function createStopwatch(now: () => number = () => performance.now()): Stopwatch {
  let running = 0;
  let since = 0;
  let pastMs = 0;
  return {
    begin() {
      if (running === 0) since = now();
      running += 1;
    },
    end() {
      running -= 1;
      if (running === 0) pastMs += now() - since;
    },
    totalMs: () => pastMs + (running > 0 ? now() - since : 0),
  };
}
