import type { StatementResult } from './connection.ts';
import { type Failure, type Performer, toFailure, type Work } from './work.ts';

/** Work for a thread or process. */
export interface Request {
  id: number;
  work: Work;
}

/** The answer to the request with the same id. */
export type Answer = { id: number } & ({ results: StatementResult[] } | { failure: Failure });

/** Runs the statements of a request. Never throws. */
export function answer(performer: Performer, { id, work }: Request): Answer {
  try {
    return { id, results: performer.perform(work) };
  } catch (error) {
    return { id, failure: toFailure(error) };
  }
}
