import type { z } from 'zod';
import { wholeNumber } from '../setting.ts';

/** Configuration of the processes of the server, and of what they share. */
export interface WorkerSettings {
  /** Processes that serve requests on the one port. 1: this process itself. */
  workers: number;
  /** Whether other processes may serve the same database. */
  isShared: boolean;
  /** Jobs that this server, whatever the number of its workers, runs concurrently; 0: none. */
  jobConcurrency: number;
  /** Time that a starting server waits for another one that serves the same SQLite database. */
  lockWaitSeconds: number;
}

/** The variables of the processes, as in `VARIABLES`. */
export const WORKER_VARIABLES = {
  TRIVIUM_WORKERS: [
    wholeNumber(1, 64).default(1),
    'processes that serve requests on the one port; default: 1',
  ],
  TRIVIUM_JOB_CONCURRENCY: [
    wholeNumber(0, 64).default(2),
    'jobs that this server runs concurrently; 0: none; default: 2',
  ],
  TRIVIUM_LOCK_WAIT_SECONDS: [
    wholeNumber(0, 86_400).default(60),
    'time for which a start waits for the server that uses the same SQLite file, in seconds; default: 60',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = {
  [Name in keyof typeof WORKER_VARIABLES]: z.output<(typeof WORKER_VARIABLES)[Name][0]>;
};

/** Converts the values of the variables. */
export function toWorkerSettings(values: Values, databaseUrl: string): WorkerSettings {
  const workers = values.TRIVIUM_WORKERS;
  return {
    workers,
    isShared: workers > 1 || !databaseUrl.startsWith('sqlite:'),
    jobConcurrency: values.TRIVIUM_JOB_CONCURRENCY,
    lockWaitSeconds: values.TRIVIUM_LOCK_WAIT_SECONDS,
  };
}
