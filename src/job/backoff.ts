const DELAY_MAX_MS = 3_600_000;
const JITTER = 0.2;

/**
 * How long to wait after a failure, in milliseconds: 5 s, 10, 40, 110, 320, 905 … by the retries so far
 * (contract §3.4), an hour at most, and up to a fifth more or less, so that what failed together does not
 * come back together. `random`: from 0 to 1. Not less than what was asked for, `atLeastMs`, within the hour.
 */
export function retryDelayMs(retryCount: number, random: number, atLeastMs = 0): number {
  const delayMs = Math.min(5000 * Math.floor(2 ** (1.5 * retryCount)), DELAY_MAX_MS);
  const spreadMs = Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
  return Math.min(Math.max(spreadMs, atLeastMs), DELAY_MAX_MS);
}
