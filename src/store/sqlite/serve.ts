import type { StatementResult } from './connection.ts';
import { type Failure, type Performer, toFailure, type Work } from './work.ts';

/** A statement for a thread or process. */
export interface Request {
  id: number;
  work: Work;
}

/** The answer to the request with the same id. */
export type Answer = { id: number } & ({ result: StatementResult } | { failure: Failure });

/** Runs the statement of a request. Never throws. */
export function answer(performer: Performer, { id, work }: Request): Answer {
  try {
    return { id, result: performer.perform(work) };
  } catch (error) {
    return { id, failure: toFailure(error) };
  }
}
