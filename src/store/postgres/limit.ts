import { DatabaseUnavailableError } from '../error.ts';

/** The time limit of one statement. */
export interface Limit {
  /** Rejects with DatabaseUnavailableError at the time limit. */
  passed: Promise<never>;
  /** Restarts the time with another limit. */
  set(ms: number): void;
  stop(): void;
}

/** Starts the time of a statement. Null: no limit until `set` is called. */
export function createLimit(ms: number | null): Limit {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const set = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => reject(new DatabaseUnavailableError('timeout')), ms);
  };
  if (ms !== null) set(ms);
  return { passed, set, stop: () => clearTimeout(timer) };
}
