/** A failure of a backup or restore that the operator can resolve. The message is complete. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  /** Marks it as an error to print without its stack. */
  readonly code = 'BACKUP_FAILED';
}
