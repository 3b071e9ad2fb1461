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

/** Thrown if another process still serves the same SQLite database when the time limit of the wait ends. */
export class LockedDatabaseError extends Error {
  constructor(path: string, waitSeconds: number) {
    super(
      `Another process serves ${path}, and has not ended within ${waitSeconds} seconds. ` +
        'A SQLite database is for one server: stop the other one, give it more workers, or use PostgreSQL.',
    );
    this.name = 'LockedDatabaseError';
  }
}

/**
 * Why the database could not serve a statement. `connection`: it could not be reached, or the connection was lost;
 * `timeout`: the statement took too long; `busy`: another one held a lock, or all connections, for too long;
 * `cancelled`: the client of the request has disconnected; `lost`: the transaction had already been rolled back.
 */
export type UnavailableReason = 'connection' | 'timeout' | 'busy' | 'cancelled' | 'lost';

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
  lost: 'The transaction was rolled back.',
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

/** The messages with which triggers refuse changes of a library that is being moved, or has been moved. */
export const MOVE_REFUSAL = {
  moving: 'trivium: the library is being moved',
  moved: 'trivium: the library has been moved',
} as const;

/** The SQLSTATE of these messages. */
export const MOVE_SQLSTATE = 'TV001';

/**
 * Tells why a library is read-only: it is being moved, for some seconds, or has been moved; null: the statement failed
 * for another reason.
 */
export function readOnlyReason(error: unknown): keyof typeof MOVE_REFUSAL | null {
  const code = errorCode(error);
  if (!(error instanceof Error) || (code !== MOVE_SQLSTATE && code !== 'SQLITE_CONSTRAINT_TRIGGER'))
    return null;
  if (error.message.includes(MOVE_REFUSAL.moving)) return 'moving';
  return error.message.includes(MOVE_REFUSAL.moved) ? 'moved' : null;
}

/** Codes of a database whose disk is full, or whose files may not grow. SQLite knows only "no space" by name. */
const FULL: readonly unknown[] = [
  'SQLITE_FULL',
  'SQLITE_IOERR_WRITE',
  'SQLITE_IOERR_SHMSIZE',
  '53100',
];

/** Tells why a database cannot be written to: for lack of room, or because it is read-only; null: another failure. */
export function databaseFailure(error: unknown): 'full' | 'unavailable' | null {
  const code = errorCode(error);
  if (FULL.includes(code)) return 'full';
  if (readOnlyReason(error) !== null) return 'unavailable';
  const isClosed = String(code).startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN';
  return isClosed || code === '25006' ? 'unavailable' : null;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
