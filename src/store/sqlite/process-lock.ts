import { setTimeout } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { LockedDatabaseError } from '../error.ts';

/** Options of `lockFile`. */
export interface LockFileOptions {
  waitSeconds: number;
  /** Called once if another process holds the lock. */
  onWait: () => void;
}

/** The interval at which a waiting process tries again. */
const RETRY_MS = 100;

/**
 * Takes the lock of the process that serves a SQLite database, and waits for it as long as another process holds it.
 * Returns the function that releases it; it also ends with the process, however that ends. Throws LockedDatabaseError.
 *
 * The lock is an exclusive transaction in an empty database beside the real one: Node has no locks on files, and SQLite
 * does. Only servers take it, so commands can use the database meanwhile.
 */
export async function lockFile(
  path: string,
  { waitSeconds, onWait }: LockFileOptions,
): Promise<() => void> {
  const lock = new SqliteDatabase(`${path}.lock`, { timeout: 0 });
  const givesUpAt = performance.now() + waitSeconds * 1000;
  try {
    for (let isFirst = true; !tryLock(lock); isFirst = false) {
      if (isFirst) onWait();
      if (performance.now() >= givesUpAt) throw new LockedDatabaseError(path, waitSeconds);
      await setTimeout(RETRY_MS);
    }
  } catch (error) {
    lock.close();
    throw error;
  }
  return () => lock.close();
}

function tryLock(lock: SqliteDatabase.Database): boolean {
  try {
    // Nothing is written, so a killed process leaves no journal behind.
    lock.exec('pragma journal_mode = memory; begin exclusive');
    return true;
  } catch (error) {
    if (error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      return false;
    }
    throw error;
  }
}
