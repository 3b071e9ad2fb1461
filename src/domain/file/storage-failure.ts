import { isDatabaseFull, isDatabaseReadOnly } from '../../store/error.ts';
import { InsufficientStorageError, StorageUnavailableError } from '../error.ts';

/** Codes of the file system for a full disk, an exceeded quota of the system, and a limit on the size of files. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Codes for a place that is read-only, or closed to the server. */
const UNAVAILABLE: readonly unknown[] = ['EROFS', 'EACCES', 'EPERM'];

/**
 * Returns the error that a caller gets for a failure of the disk, of blobs or of the database: InsufficientStorageError
 * or StorageUnavailableError. Any other error is returned unchanged. Transports call this for every error.
 */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (isSystemError(error, FULL) || isDatabaseFull(error)) {
    return new InsufficientStorageError({ cause: error });
  }
  if (isSystemError(error, UNAVAILABLE) || isDatabaseReadOnly(error)) {
    return new StorageUnavailableError({ cause: error });
  }
  return error;
}

/** Tells whether a call of the system failed with one of these codes. */
function isSystemError(error: Error & { code: unknown }, codes: readonly unknown[]): boolean {
  return 'syscall' in error && codes.includes(error.code);
}
