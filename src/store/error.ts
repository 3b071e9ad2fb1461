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

/** Tells whether a statement failed because the disk of the database is full, or may not grow. */
export function isDatabaseFull(error: unknown): boolean {
  const code = errorCode(error);
  return (
    code === 'SQLITE_FULL' ||
    // A limit on the size of files, or a quota: SQLite knows only "no space" by name.
    code === 'SQLITE_IOERR_WRITE' ||
    code === 'SQLITE_IOERR_SHMSIZE' ||
    code === '53100'
  );
}

/** Tells whether a statement failed because the database cannot be written to. */
export function isDatabaseReadOnly(error: unknown): boolean {
  const code = String(errorCode(error));
  return code.startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN' || code === '25006';
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
