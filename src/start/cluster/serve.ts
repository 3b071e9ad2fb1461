import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { refuseUnfinishedRestore } from '../../domain/backup/unfinished-restore.ts';
import type { Config } from '../config.ts';
import { checkFirstAddress } from '../listen.ts';
import { lockDatabase } from '../lock.ts';
import { StartError } from '../start-error.ts';

/** The parts of the process that a server with workers uses. */
export interface ServeHandle {
  exit: (code: number) => never;
  /** Runs work; a failure ends the process with a message. */
  attempt: (work: () => Promise<void>) => Promise<void>;
}

/**
 * Serves with several processes. This one, the primary, holds the lock of a SQLite database and the port, and starts the
 * others by the same command line. Or it is one of those: a worker.
 */
export async function serveWithWorkers(config: Config, handle: ServeHandle): Promise<void> {
  if (cluster.isWorker) return work(config, handle);
  if (config.databaseUrl === 'sqlite::memory:') {
    throw new StartError('A database in memory has one process: set TRIVIUM_WORKERS to 1.');
  }
  await checkFirstAddress(config);
  const unlock = await lockDatabase(config);
  await refuseUnfinishedRestore(config.dataDir);
  const { runPrimary } = await import('./primary.ts');
  await runPrimary(config, { ...handle, unlock });
}

async function work(config: Config, { exit, attempt }: ServeHandle): Promise<void> {
  const { joinCluster } = await import('./member.ts');
  const member = await joinCluster(process);
  const { createApp } = await import('../app.ts');
  const { collectWhenIdle } = await import('../idle.ts');
  const app = await createApp({ ...config, port: member.port }, { member });
  if (member.isFirst) flushCompileCache();
  let isStopping = false;
  const stop = () =>
    attempt(async () => {
      // A terminal and a service manager signal all processes, and the primary then tells each to stop.
      if (isStopping) return;
      isStopping = true;
      await app.stop();
      exit(0);
    });
  member.onStop(stop);
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, stop);
  const url = await app.start();
  collectWhenIdle();
  member.announce(url, app.signInPath);
}
