import type { Log, Services } from '../domain/context.ts';
import { SWEEP_GRACE_MS, sweep } from '../domain/file/sweep.ts';
import { expireUploads } from '../domain/upload/expire.ts';
import type { Config } from './config.ts';

/**
 * A file system stamps a file with the time of the kernel's last tick, at 100 Hz up to 10 ms ago. So the staged bytes
 * of the first request can look older than the server.
 */
const FILE_CLOCK_LAG_MS = 50;

/**
 * Ends expired uploads, and sweeps the bytes that an earlier run of the server left behind; later sweeps are jobs. If
 * this process alone serves the database, no request can own bytes that are older than `startedAt`, the time before the
 * first request.
 */
export async function sweepAtStart(
  services: Services & { log: Log },
  { isShared }: Config,
  startedAt: number,
  signal: AbortSignal,
) {
  const graceMs = isShared ? SWEEP_GRACE_MS : FILE_CLOCK_LAG_MS;
  try {
    await expireUploads(services);
    await sweep(services, { modifiedBefore: startedAt - graceMs, signal });
  } catch (error) {
    if (!signal.aborted) services.log.error({ err: error }, 'sweep failed');
  }
}
