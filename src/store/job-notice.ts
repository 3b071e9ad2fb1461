import pg from 'pg';
import { JOB_CHANNEL } from './dialect.ts';

/** How long until a lost connection is tried again. */
const RETRY_MS = 2000;

/** A server that does not answer must not hold up the end of the process. */
const CONNECT_MS = 5000;

/** Listens until it is stopped. */
export interface JobNotices {
  stop(): Promise<void>;
}

/**
 * Calls `onNotice` when PostgreSQL tells that there may be something to do for a worker, and whenever a
 * notice may have been missed. A lost connection is made again; until then nothing is told.
 */
export function listenForJobs(url: string, onNotice: () => void): JobNotices {
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
    client = fresh;
    fresh.on('notification', onNotice);
    fresh.once('end', reconnect);
    // Followed by `end`; without a listener it would end the process.
    fresh.on('error', () => void fresh.end().catch(() => undefined));
    try {
      await fresh.connect();
      await fresh.query(`listen ${JOB_CHANNEL}`);
      onNotice();
    } catch {
      fresh.removeListener('end', reconnect);
      await fresh.end().catch(() => undefined);
      reconnect();
    }
  }

  function reconnect(): void {
    if (isStopped) return;
    retry = setTimeout(() => (connecting = connect()), RETRY_MS);
    retry.unref();
  }

  let connecting = connect();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(retry);
      await connecting;
      await client?.end().catch(() => undefined);
    },
  };
}
