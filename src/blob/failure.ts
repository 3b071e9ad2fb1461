/** Codes of the system for a full disk, an exceeded quota, and a limit on the size of files. */
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Codes of the system for a place that is read-only, or closed to the server. */
const UNAVAILABLE: readonly unknown[] = ['EROFS', 'EACCES', 'EPERM'];

/** Tells how a call of the file system failed: for lack of room or of permission; null: otherwise. */
export function storageFailure(error: unknown): 'full' | 'unavailable' | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  if (FULL.includes(error.code)) return 'full';
  return UNAVAILABLE.includes(error.code) ? 'unavailable' : null;
}
