import { createTurns } from './turns.ts';

/** Runs the work of each key once at a time, for all callers that ask for it meanwhile. */
export interface SingleFlight {
  /**
   * Returns what `work` returns. Callers that ask for the same key while it runs share its result. An error for
   * which `isFinal` holds is kept for a minute and thrown again without running `work`. Throws the error of
   * `tooBusy` while `runningMax` other keys are running.
   */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** Limits of a `SingleFlight`. */
export interface SingleFlightOptions {
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Tells whether another try cannot help. */
  isFinal: (error: unknown) => boolean;
  tooBusy: () => Error;
  /** Maximum number of keys whose work runs or waits for its turn. (Default: 64) */
  runningMax?: number;
}

const FINAL_KEPT_MS = 60_000;
const FINAL_MAX = 1000;

/** Creates a `SingleFlight`; two of them share nothing. */
export function createSingleFlight(options: SingleFlightOptions): SingleFlight {
  const { clock, isFinal, tooBusy, runningMax = 64 } = options;
  const turns = createTurns({ runningMax, waitingMax: 0, tooBusy });
  const running = new Map<string, Promise<unknown>>();
  const failed = new Map<string, { error: unknown; until: number }>();
  function remember(key: string, error: unknown): void {
    if (!isFinal(error)) return;
    failed.delete(key);
    failed.set(key, { error, until: clock() + FINAL_KEPT_MS });
    const [oldest] = failed.keys();
    if (failed.size > FINAL_MAX && oldest !== undefined) failed.delete(oldest);
  }
  async function start<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      const endTurn = await turns.take();
      try {
        return await work();
      } finally {
        endTurn();
      }
    } catch (error) {
      remember(key, error);
      throw error;
    } finally {
      running.delete(key);
    }
  }
  return {
    async run<T>(key: string, work: () => Promise<T>) {
      const known = failed.get(key);
      if (known !== undefined && clock() < known.until) throw known.error;
      const other = running.get(key);
      // One key always names the same work, so the result is of the caller's type.
      if (other !== undefined) return other as Promise<T>;
      const result = start(key, work);
      running.set(key, result);
      return result;
    },
  };
}
