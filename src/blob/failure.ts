/** Error codes of the operating system for a full disk, an exceeded disk quota, and a file that is too large. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Error codes of the operating system for storage that is read-only or that the server has no permission for. */
const UNAVAILABLE: readonly unknown[] = ['EROFS', 'EACCES', 'EPERM'];

/** Why storage does not serve a request: it has no room, or it cannot be used now. */
export type Failure = 'full' | 'unavailable';

/** An error of storage that is no file system. */
export class StorageError extends Error {
  override readonly name: string = 'StorageError';
  readonly failure: Failure;

  constructor(failure: Failure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/**
 * Tells whether storage failed for lack of space, or for another reason that is not in the request: a file system
 * without permission, an object store that cannot be reached. Null for any other error.
 */
export function storageFailure(error: unknown): Failure | null {
  if (error instanceof StorageError) return error.failure;
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  if (FULL.includes(error.code)) return 'full';
  return UNAVAILABLE.includes(error.code) ? 'unavailable' : null;
}
