import { createTurns, type TurnLimits } from './turns.ts';

/** Runs the work of each key once at a time, for all callers that ask for it meanwhile. */
export interface SingleFlight {
  /**
   * Returns what `work` returns. Callers that ask for the same key while it runs share its result. An error for which
   * `isFinal` holds is kept for a minute and thrown again without running `work`. `group` owns the work; groups take
   * turns. Throws the error of `tooBusy` if too many other keys are running and waiting.
   */
  run<T>(key: string, work: () => Promise<T>, group?: string): Promise<T>;
}

/** Limits of a `SingleFlight`. */
export interface SingleFlightOptions {
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Tells whether another try cannot help. */
  isFinal: (error: unknown) => boolean;
  /** The limits of its queue: the keys whose work runs or waits. */
  turns: TurnLimits;
  /** Maximum wait for a turn. (Default: for ever) */
  patienceMs?: number;
}

const FINAL_KEPT_MS = 60_000;
const FINAL_MAX = 1000;

/** Creates a `SingleFlight`; two of them share nothing. */
export function createSingleFlight(options: SingleFlightOptions): SingleFlight {
  const { clock, isFinal, patienceMs = Number.POSITIVE_INFINITY } = options;
  const turns = createTurns(options.turns);
  const running = new Map<string, Promise<unknown>>();
  const failed = new Map<string, { error: unknown; until: number }>();
  function remember(key: string, error: unknown): void {
    if (!isFinal(error)) return;
    failed.delete(key);
    failed.set(key, { error, until: clock() + FINAL_KEPT_MS });
    const [oldest] = failed.keys();
    if (failed.size > FINAL_MAX && oldest !== undefined) failed.delete(oldest);
  }
  async function start<T>(key: string, work: () => Promise<T>, group: string): Promise<T> {
    try {
      const endTurn = await turns.take({ group, patienceMs });
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
    async run<T>(key: string, work: () => Promise<T>, group = '') {
      const known = failed.get(key);
      if (known !== undefined && clock() < known.until) throw known.error;
      const other = running.get(key);
      // One key always names the same work, so the result is of the caller's type.
      if (other !== undefined) return other as Promise<T>;
      const result = start(key, work, group);
      running.set(key, result);
      return result;
    },
  };
}
