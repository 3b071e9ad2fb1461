import { realpath } from 'node:fs/promises';
import { lockFile } from '../store/sqlite/process-lock.ts';
import type { Config } from './config.ts';
import { prepareDirectories } from './directory.ts';
import { createLog } from './log.ts';
import { toDatabaseError } from './start-error.ts';

const PREFIX = 'sqlite:';

/**
 * Makes this process the only one that serves the SQLite database: a second one would not learn of changes, and its
 * sweep would delete the bytes of uploads that are in progress in the first. Waits for the other process to end, as in
 * a rolling restart. Throws LockedDatabaseError if it does not. Returns the function that releases the lock. Keep a
 * reference to it while the server runs. PostgreSQL needs no lock.
 */
export async function lockDatabase(config: Config): Promise<() => void> {
  const { databaseUrl, logLevel, lockWaitSeconds } = config;
  const given = databaseUrl.slice(PREFIX.length);
  if (!databaseUrl.startsWith(PREFIX) || given === ':memory:') return () => undefined;
  const log = createLog(logLevel);
  let hasWaited = false;
  await prepareDirectories(config);
  // Two paths of one file share one lock.
  const path = await realpath(given).catch(() => given);
  const unlock = await lockFile(path, {
    waitSeconds: lockWaitSeconds,
    onWait: () => {
      hasWaited = true;
      log.warn({ path, lockWaitSeconds }, 'waiting: another process serves this database');
    },
  }).catch((error: unknown) => {
    throw toDatabaseError(error, config);
  });
  if (hasWaited) log.info({ path }, 'the other process has ended');
  return unlock;
}
