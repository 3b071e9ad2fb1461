import { LockedDatabaseError } from '../error.ts';
import { lockFile } from '../sqlite/process-lock.ts';
import type { MoveConnection } from './connection.ts';

/** The number of the lock on PostgreSQL. */
const LOCK_ID = 7_483_650;

/**
 * Makes this process the only one that moves the library of a database. Returns the function that releases the lock,
 * which also ends with the connection and the process; null: another process has it.
 */
export async function lockMove(
  connection: MoveConnection,
  url: string,
): Promise<(() => void) | null> {
  if (connection.dialect === 'postgres') {
    const [row] = await connection.run<{ locked: boolean }>(
      'select pg_try_advisory_lock(?) as locked',
      [LOCK_ID],
    );
    return row?.locked ? () => undefined : null;
  }
  try {
    const path = `${url.slice('sqlite:'.length)}.move`;
    return await lockFile(path, { waitSeconds: 0, onWait: () => undefined });
  } catch (error) {
    if (error instanceof LockedDatabaseError) return null;
    throw error;
  }
}
