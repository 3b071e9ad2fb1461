const DELAY_MAX_MS = 3_600_000;
const JITTER = 0.2;

/**
 * Returns the wait before the next retry, in milliseconds: 5 s, 10, 40, 110, 320, 905 … by the retries so far
 * (contract §3.4), up to a fifth more or less, so that jobs that failed together are not retried together. At
 * least `atLeastMs`, at most an hour. `random`: from 0 to 1.
 */
export function retryDelayMs(retryCount: number, random: number, atLeastMs = 0): number {
  const delayMs = Math.min(5000 * Math.floor(2 ** (1.5 * retryCount)), DELAY_MAX_MS);
  const spreadMs = Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
  return Math.min(Math.max(spreadMs, atLeastMs), DELAY_MAX_MS);
}
