/** The reason why a statement did not run, or did not end. */
export type BusyReason =
  /** Another process holds the write lock, or writes before it took too long. */
  | 'locked'
  /** It ran, or waited for a free reader, longer than a statement may. */
  | 'timeout'
  /** The client that asked for it has gone. */
  | 'cancelled'
  /** The thread or process that ran it has ended. */
  | 'lost';

const BUSY_MESSAGES: Readonly<Record<BusyReason, string>> = {
  locked: 'Another process or a long write holds the lock of the database.',
  timeout: 'The statement took longer than the time limit of statements.',
  cancelled: 'The statement was cancelled, because nobody waits for its result.',
  lost: 'The thread or process that ran the statement has ended.',
};

/** Thrown if the database did not run a statement now, but may later. A transaction with it is rolled back. */
export class DatabaseBusyError extends Error {
  override readonly name = 'DatabaseBusyError';
  readonly reason: BusyReason;

  constructor(reason: BusyReason, options?: ErrorOptions) {
    super(BUSY_MESSAGES[reason], options);
    this.reason = reason;
  }
}

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

/** Thrown if another process still serves the same SQLite database after the time for waiting. */
export class LockedDatabaseError extends Error {
  constructor(path: string, waitSeconds: number) {
    super(
      `Another process serves ${path}, and has not ended within ${waitSeconds} seconds. ` +
        'A SQLite database is for one server process: stop the other one, or use PostgreSQL.',
    );
    this.name = 'LockedDatabaseError';
  }
}

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
  const isClosed = String(code).startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN';
  return isClosed || code === '25006' ? 'unavailable' : null;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
