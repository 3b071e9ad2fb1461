import { deleteFinishedJobs } from '../../store/job/run.ts';
import type { Context } from '../context.ts';

const DAY_MS = 24 * 3_600_000;

/** Retention of finished jobs: contract §7.4. */
const KEPT = [
  { statuses: ['completed'], keptMs: 7 * DAY_MS },
  { statuses: ['errored', 'cancelled'], keptMs: 30 * DAY_MS },
] as const;

const BATCH_SIZE = 1000;

/** Deletes finished jobs whose retention is over. Returns their number. */
export async function forgetJobs({ db, clock }: Context): Promise<number> {
  let count = 0;
  for (const { statuses, keptMs } of KEPT) {
    let deleted: number;
    do {
      const before = clock() - keptMs;
      deleted = await deleteFinishedJobs(db, { statuses, before, limit: BATCH_SIZE });
      count += deleted;
    } while (deleted === BATCH_SIZE);
  }
  return count;
}
