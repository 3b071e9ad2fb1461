import { DomainError, type FailedObject } from './error.ts';

/**
 * Runs `work` for one of several objects that an operation was given. Sets `failed` to that object on a DomainError that
 * it throws or rejects with.
 */
export function forOne<Result>(object: FailedObject, work: () => Result): Result {
  const name = (error: unknown): never => {
    if (error instanceof DomainError) error.failed ??= object;
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(name) as Result) : result;
  } catch (error) {
    return name(error);
  }
}
