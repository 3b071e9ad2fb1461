import { storageFailure } from '../blob/failure.ts';
import { StagingConflictError } from '../blob/staging.ts';
import { DatabaseUnavailableError, databaseFailure, readOnlyReason } from '../store/error.ts';
import { NoDatabaseError, RETRY_AFTER_MS, ServerBusyError } from './error.ts';
import {
  InsufficientStorageError,
  LibraryReadOnlyError,
  StorageUnavailableError,
} from './storage-error.ts';

/**
 * Returns the error that a caller gets for a failure of any operation: a database that cannot serve a statement is a
 * NoDatabaseError, or a ServerBusyError if it was reached but took too long; a full disk is an
 * InsufficientStorageError, and one that is closed to the server a StorageUnavailableError; a library that is moved is a
 * LibraryReadOnlyError. Dialects call this once for every error.
 */
export function toCallerError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError) return toUnavailable(error);
  const reason = readOnlyReason(error);
  if (reason !== null) return new LibraryReadOnlyError(reason);
  if (error instanceof StagingConflictError)
    return new ServerBusyError(undefined, { cause: error });
  const failure = writeFailure(error);
  if (failure === 'full') return new InsufficientStorageError({ cause: error });
  return failure === 'unavailable' ? new StorageUnavailableError({ cause: error }) : error;
}

/** Tells why nothing can be written to the disk or the database, although both can be read; null: another failure. */
export function writeFailure(error: unknown): 'full' | 'unavailable' | null {
  return storageFailure(error) ?? databaseFailure(error);
}

/** Tells whether a change failed because the library is being moved, or has been moved. */
export function isLibraryReadOnly(error: unknown): boolean {
  return readOnlyReason(error) !== null;
}

function toUnavailable(error: DatabaseUnavailableError): NoDatabaseError | ServerBusyError {
  const { reason } = error;
  if (reason === 'connection') return new NoDatabaseError({ cause: error });
  // The client has gone, so nobody reads the response or needs a log entry.
  if (reason === 'cancelled') return new ServerBusyError();
  return new ServerBusyError(RETRY_AFTER_MS, { cause: error });
}
