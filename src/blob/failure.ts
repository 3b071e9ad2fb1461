import { S3Error } from './s3/error.ts';

/** Error codes of the operating system for a full disk, an exceeded disk quota, and a file that is too large. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Error codes of the operating system for storage that is read-only or that the server has no permission for. */
const UNAVAILABLE: readonly unknown[] = ['EROFS', 'EACCES', 'EPERM'];

/**
 * Tells whether a file system call failed for lack of space or of permission, or a request to an object store for lack
 * of space or for any other reason; null for any other failure.
 */
export function storageFailure(error: unknown): 'full' | 'unavailable' | null {
  if (error instanceof S3Error) return error.failure;
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  if (FULL.includes(error.code)) return 'full';
  return UNAVAILABLE.includes(error.code) ? 'unavailable' : null;
}
