import type { FastifyInstance } from 'fastify';
import type { Log } from '../domain/context.ts';

/** Time that requests in progress have to finish when the server stops. Then their connections are cut. */
const DRAIN_TIMEOUT_MS = 4000;

/**
 * Maximum duration of a stop. Docker kills a container 10 s after it has asked it to stop, and on a busy machine timers
 * are late: what follows a cut runs code that has not been loaded yet, which took 3 s at ten times the load.
 */
const STOP_TIMEOUT_MS = 6000;

/**
 * Refuses new requests, and waits for those in progress. An unfinished body of a cut connection is not acknowledged:
 * its client continues at the last acknowledged offset.
 */
export async function drain(server: FastifyInstance): Promise<void> {
  // A connection that becomes idle while the server stops would otherwise delay it until its timeout.
  const closeIdle = setInterval(() => server.server.closeIdleConnections(), 100);
  const cut = setTimeout(() => server.server.closeAllConnections(), DRAIN_TIMEOUT_MS);
  try {
    await server.close();
  } finally {
    clearInterval(closeIdle);
    clearTimeout(cut);
  }
}

/**
 * Runs the steps of a stop, and gives up waiting for them when the time is over: a decoder cannot be interrupted, and a
 * database may hang. Nothing is lost then, because acknowledged bytes are durable, and the jobs of an ended process run
 * again.
 */
export async function stopWithin(
  log: Log,
  stop: () => Promise<void>,
  timeoutMs = STOP_TIMEOUT_MS,
): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), timeoutMs);
  const stopped = stop();
  try {
    if ((await Promise.race([stopped, late])) !== 'late') return;
    log.warn({ timeoutMs }, 'stopped without waiting for work in progress');
    // Nothing awaits it any more.
    stopped.catch(() => undefined);
  } finally {
    clearTimeout(timer);
  }
}
