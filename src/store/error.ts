/** Thrown if the database has migrations that this program does not know: an older program on newer data. */
export class NewerDatabaseError extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `The database was made by a newer version of this program (it has ${unknown.join(', ')}). ` +
        'Run that version, or restore a backup.',
    );
    this.name = 'NewerDatabaseError';
  }
}

/**
 * Why the database could not serve a statement. `connection`: it could not be reached, or the connection was lost;
 * `timeout`: the statement took too long; `busy`: another one held a lock, or all connections, for too long;
 * `cancelled`: the client for which it ran has gone.
 */
export type UnavailableReason = 'connection' | 'timeout' | 'busy' | 'cancelled';

/**
 * Thrown if the database cannot serve a statement at the moment, which is neither the client's fault nor a bug. A write
 * whose connection was lost may have been committed.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly reason: UnavailableReason;

  constructor(reason: UnavailableReason, options: ErrorOptions = {}) {
    const { cause } = options;
    super(`${SENTENCES[reason]}${cause instanceof Error ? ` (${cause.message})` : ''}`, options);
    this.reason = reason;
  }
}

const SENTENCES: Readonly<Record<UnavailableReason, string>> = {
  connection: 'The database cannot be reached, or its connection was lost.',
  timeout: 'The statement took too long.',
  busy: 'The database is busy.',
  cancelled: 'The client has gone.',
};

/** Tells whether a statement failed because a unique index or primary key already holds the value. */
export function isUniqueViolation(error: unknown): boolean {
  const code = errorCode(error);
  return (
    code === 'SQLITE_CONSTRAINT_UNIQUE' ||
    code === 'SQLITE_CONSTRAINT_PRIMARYKEY' ||
    code === '23505'
  );
}

/** Tells whether a statement failed because a row refers to one that does not exist. */
export function isForeignKeyViolation(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'SQLITE_CONSTRAINT_FOREIGNKEY' || code === '23503';
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
