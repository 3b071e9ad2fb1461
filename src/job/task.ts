import type { Context } from '../domain/context.ts';
import type { JobArguments, JobClass } from '../domain/job/class.ts';

/** The run of a job, as its task sees it. */
export interface Run {
  jobId: number;
  /** Who started the job; null: the server itself. */
  startedBy: { id: string; role: string } | null;
  /** Aborts when the job is cancelled or deleted, its lease is lost, or the server stops. */
  signal: AbortSignal;
  /** Tells how far it has come, 0 to 1: as often as one likes; what is written is bounded. */
  progress(fraction: number): void;
}

/**
 * Does the work of one class of jobs, as the server itself. May run again after a crash at any point, so it is
 * idempotent. What it throws is tried again, unless it is a PermanentError; what it answers is the job's result.
 */
export type Task<C extends JobClass> = (
  ctx: Context,
  args: JobArguments<C>,
  run: Run,
  // biome-ignore lint/suspicious/noConfusingVoidType: most tasks have nothing to answer.
) => Promise<object | void>;

/** A task for each class that a worker runs. */
export type Tasks = { readonly [C in JobClass]?: Task<C> };

/** A failure whose message everybody who sees the job may read. */
export class TaskError extends Error {
  override readonly name: string = 'TaskError';
  /** When it may go better, as somebody else has said; 0: nobody has. */
  readonly retryAfterMs: number;

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** A failure that no other try can mend: the job is errored at once. */
export class PermanentError extends TaskError {
  override readonly name = 'PermanentError';
}
