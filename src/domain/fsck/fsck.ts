import type { Context } from '../context.ts';
import { SWEEP_GRACE_MS } from '../file/sweep.ts';
import type { CheckOptions, CheckProgress, Difference } from './difference.ts';
import { checkRows } from './rows.ts';
import { checkStaged } from './staged.ts';
import { checkStored } from './stored.ts';

/** Options of `checkLibrary`. */
export interface FsckOptions extends Partial<Omit<CheckOptions, 'progress'>> {
  progress?: CheckProgress;
}

/** Time in which a deletion that has begun ends: a few unlinks after a commit. */
const SETTLE_MS = 2000;

/**
 * Compares the database with the storage, both ways, and yields every difference. May run beside any number of servers:
 * it judges each difference again at the moment in which it yields or repairs it. Changes nothing without `repair`.
 * Memory use is constant.
 */
export async function* checkLibrary(
  ctx: Context,
  options: FsckOptions = {},
): AsyncGenerator<Difference> {
  const all: CheckOptions = {
    rehash: false,
    repair: false,
    graceMs: SWEEP_GRACE_MS,
    settleMs: SETTLE_MS,
    progress: { blobs: 0, bytesRead: 0 },
    ...options,
  };
  yield* checkRows(ctx, all);
  // Staged bytes first: what is stored meanwhile is found by one of the two.
  yield* checkStaged(ctx, all);
  yield* checkStored(ctx, all);
}
