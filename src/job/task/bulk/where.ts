import type { WhereClass } from '../../../domain/bulk/selection.ts';
import type { WhereRun } from '../../../domain/bulk/walk.ts';
import type { Context } from '../../../domain/context.ts';
import {
  ForbiddenError,
  InvalidInputError,
  NotAuthenticatedError,
  NotFoundError,
} from '../../../domain/error.ts';
import type { JobArguments } from '../../../domain/job/class.ts';
import { PermanentError, type Task } from '../../task.ts';

/** Refusals that a retry would meet again. */
const REFUSALS = [ForbiddenError, InvalidInputError, NotAuthenticatedError, NotFoundError];

/** Creates the task of a job that changes all media that match a filter. */
export function whereTask<C extends WhereClass>(
  work: (ctx: Context, args: JobArguments<C>, run: WhereRun) => Promise<number>,
): Task<C> {
  return async (ctx, args, { jobId, startedBy, signal, progress: onProgress }) => {
    try {
      return { media_changed: await work(ctx, args, { jobId, startedBy, signal, onProgress }) };
    } catch (cause) {
      const isRefusal = REFUSALS.some((refusal) => cause instanceof refusal);
      throw isRefusal ? new PermanentError((cause as Error).message, { cause }) : cause;
    }
  };
}
