import { mkdir, realpath } from 'node:fs/promises';
import { lockFile } from '../store/sqlite/process-lock.ts';
import type { Config } from './config.ts';
import { createLog } from './log.ts';

const PREFIX = 'sqlite:';

/**
 * Makes this process the only one that serves the SQLite database: a second one would not learn of changes, and its
 * sweep would delete the bytes of uploads that are in progress in the first. Waits for the other process to end, as in
 * a rolling restart. Throws LockedDatabaseError if it does not. Returns the function that releases the lock. Keep a
 * reference to it while the server runs. PostgreSQL needs no lock.
 */
export async function lockDatabase({
  databaseUrl,
  dataDir,
  logLevel,
  lockWaitSeconds,
}: Config): Promise<() => void> {
  const given = databaseUrl.slice(PREFIX.length);
  if (!databaseUrl.startsWith(PREFIX) || given === ':memory:') return () => undefined;
  const log = createLog(logLevel);
  let hasWaited = false;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Two paths of one file share one lock.
  const path = await realpath(given).catch(() => given);
  const unlock = await lockFile(path, {
    waitSeconds: lockWaitSeconds,
    onWait: () => {
      hasWaited = true;
      log.warn({ path, lockWaitSeconds }, 'waiting: another process serves this database');
    },
  });
  if (hasWaited) log.info({ path }, 'the other process has ended');
  return unlock;
}
