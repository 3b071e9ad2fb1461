import type { FastifyInstance } from 'fastify';
import { isRetryable } from '../../http/status.ts';

/** A stream whose credential is checked. */
interface Watched {
  /** Throws if the credential is no longer valid, or has other rights by now. */
  check: () => Promise<void>;
  /** Called with the error of the first check that fails. */
  onInvalid: (error: unknown) => void;
}

/** Watches the credential of a stream. Returns the function that ends the watch. */
export type WatchViewer = (stream: Watched) => () => void;

/** Interval between two checks of an idle stream. */
const INTERVAL_MS = 3000;

/**
 * Creates the watch of the credentials of open streams. A stream without events must not stay connected with a
 * credential that has been revoked or has expired. It asks instead of waiting for a notice, because no process sends a
 * notice when a token expires, or when the command line revokes a key of a SQLite database. One check runs at a time:
 * many streams must not delay requests.
 */
export function createViewerWatch(
  server: FastifyInstance,
  intervalMs: number = INTERVAL_MS,
): WatchViewer {
  const streams = new Set<Watched>();
  let isChecking = false;
  const checkAll = async () => {
    if (isChecking) return;
    isChecking = true;
    for (const stream of streams) {
      const error = await errorOf(stream.check);
      if (error !== null && streams.delete(stream)) stream.onInvalid(error);
    }
    isChecking = false;
  };
  const timer = setInterval(() => void checkAll(), intervalMs).unref();
  server.addHook('onClose', async () => clearInterval(timer));
  return (stream) => {
    streams.add(stream);
    return () => void streams.delete(stream);
  };
}

/** Returns the error of a check; null if the credential is valid, or cannot be checked at the moment. */
async function errorOf(check: () => Promise<void>): Promise<unknown> {
  try {
    await check();
    return null;
  } catch (error) {
    return isRetryable(error) ? null : error;
  }
}
