import { storageFailure } from '../blob/failure.ts';
import { DatabaseBusyError, databaseFailure } from '../store/error.ts';
import { RETRY_AFTER_MS, ServerBusyError } from './error.ts';
import { InsufficientStorageError, StorageUnavailableError } from './storage-error.ts';

/**
 * Returns the error that a client gets for a failure of the database or of the disk that may pass. Any other error stays
 * as it is.
 */
export function toDomainError(error: unknown): unknown {
  if (error instanceof DatabaseBusyError) {
    return new ServerBusyError(RETRY_AFTER_MS, { cause: error });
  }
  const failure = storageFailure(error) ?? databaseFailure(error);
  if (failure === 'full') return new InsufficientStorageError({ cause: error });
  return failure === 'unavailable' ? new StorageUnavailableError({ cause: error }) : error;
}
