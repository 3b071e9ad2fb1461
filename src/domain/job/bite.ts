import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The most rows that a large change changes in one transaction. A change of so many rows or fewer is made by the request
 * itself, a larger one by a job.
 */
export const BITE_ROWS = 200;

/** The size of the first bite, before anything is known of the speed of the database. */
const FIRST_ROWS = 50;
const ROWS_MIN = 10;

/** The time that one bite should take: others wait for it. */
const BITE_MS = 25;

/** The run of a job that works in bites. */
export interface BiteOptions {
  signal?: AbortSignal | undefined;
  /** Called after each bite with the number of rows so far. */
  onProgress?: ((rows: number) => void) | undefined;
}

/**
 * Makes a large change in small transactions: calls `bite` with the most rows that it may change until it returns 0.
 * Adapts that number, so that a bite takes about 25 ms, and leaves the database to others for as long as each bite took.
 * Returns the number of all rows. Throws the reason of an aborted signal.
 */
export async function inBites(
  { signal, onProgress }: BiteOptions,
  bite: (rowsMax: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let rowsMax = FIRST_ROWS; ; ) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    const rows = await bite(rowsMax);
    if (rows === 0) return total;
    total += rows;
    onProgress?.(total);
    const tookMs = performance.now() - startedAt;
    const wanted = Math.round(rows * (BITE_MS / tookMs));
    rowsMax = Math.min(BITE_ROWS, 2 * rowsMax, Math.max(ROWS_MIN, wanted));
    await sleep(Math.ceil(tookMs));
  }
}
