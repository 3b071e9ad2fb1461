import type { Context } from '../domain/context.ts';
import type { JobArguments, JobClass } from '../domain/job-class.ts';

/** The run of a job, as its task sees it. */
export interface Run {
  jobId: number;
  /** Aborts when the job is cancelled or deleted, its lease is lost, or the server stops. */
  signal: AbortSignal;
  /** Tells how far it has come, 0 to 1: as often as one likes; what is written is bounded. */
  progress(fraction: number): void;
}

/**
 * Does the work of one class of jobs. May run again after a crash at any point, so it is idempotent. What
 * it throws is tried again, unless it is a PermanentError.
 */
export type Task<C extends JobClass> = (
  ctx: Context,
  args: JobArguments<C>,
  run: Run,
) => Promise<void>;

/** A failure that no other try can mend: the job is errored at once. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}
