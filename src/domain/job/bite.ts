import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Maximum number of rows that one transaction of a large change changes. The request itself makes a change of at most
 * this many rows; a job makes a larger one.
 */
export const BITE_ROWS = 200;

/** Size of the first bite, when the speed of the database is still unknown. */
const FIRST_ROWS = 50;
const ROWS_MIN = 10;

/** Target duration of one bite. Other changes wait meanwhile. */
const BITE_MS = 25;

/** The run of a job that works in bites. */
export interface BiteOptions {
  signal?: AbortSignal | undefined;
  /** Called after each bite with the part of the rows that has been changed, from 0 to 1. */
  onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * Makes a large change in small transactions, the bites. Calls `bite` with the maximum number of rows to change, until
 * it returns 0. Adapts that number so that a bite takes about 25 ms, and pauses after each bite for as long as it took.
 * `all`: the expected number of rows. Returns the number of changed rows. Throws the reason of an aborted signal.
 */
export async function inBites(
  { signal, onProgress }: BiteOptions,
  all: number,
  bite: (rowsMax: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let rowsMax = FIRST_ROWS; ; ) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    const rows = await bite(rowsMax);
    if (rows === 0) return total;
    total += rows;
    onProgress?.(Math.min(1, total / all));
    const tookMs = performance.now() - startedAt;
    const wanted = Math.round(rows * (BITE_MS / tookMs));
    rowsMax = Math.min(BITE_ROWS, 2 * rowsMax, Math.max(ROWS_MIN, wanted));
    await sleep(Math.ceil(tookMs));
  }
}
