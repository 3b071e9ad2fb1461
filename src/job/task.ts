import type { Context } from '../domain/context.ts';
import type { JobArguments, JobClass } from '../domain/job/class.ts';

/** The run of a job, as its task sees it. */
export interface Run {
  jobId: number;
  /** The user who started the job; null: the server itself. */
  startedBy: { id: string; role: string } | null;
  /** Aborts when the job is cancelled or deleted, its lease is lost, or the server stops. */
  signal: AbortSignal;
  /** Reports the progress, 0 to 1. May be called often: writes are throttled. */
  progress(fraction: number): void;
}

/**
 * Does the work of one job class, as the server itself. May run again after a crash at any point, so it must be
 * idempotent. The job is retried if it throws, except for a PermanentError. It returns the job's result.
 */
export type Task<C extends JobClass> = (
  ctx: Context,
  args: JobArguments<C>,
  run: Run,
  // biome-ignore lint/suspicious/noConfusingVoidType: most tasks have no result.
) => Promise<object | void>;

/** The task of each job class that a worker runs. */
export type Tasks = { readonly [C in JobClass]?: Task<C> };

/** A failure whose message may be shown to everybody who sees the job. */
export class TaskError extends Error {
  override readonly name: string = 'TaskError';
  /** The shortest wait before a retry that another server asked for; 0: none. */
  readonly retryAfterMs: number;

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** A failure that a retry cannot fix: the job is errored at once. */
export class PermanentError extends TaskError {
  override readonly name = 'PermanentError';
}
