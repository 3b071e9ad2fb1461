import pg from 'pg';
import { EVENT_CHANNEL, JOB_CHANNEL } from '../dialect.ts';

/** How long until a lost connection is tried again. */
const RETRY_MS = 2000;

/** A server that does not answer must not hold up the end of the process. */
const CONNECT_MS = 5000;

/** What PostgreSQL carries between the processes of one database. */
export interface Notices {
  /** Sends a text of less than 8,000 bytes to `onEvents` of all, ourselves included. Lost without a connection. */
  tellEvents(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Who listens. */
export interface NoticeListeners {
  /** There may be something to do for a worker; also whenever a notice may have been missed. */
  onJob: () => void;
  onEvents: (text: string) => void;
}

/** Listens until it is stopped. A lost connection is made again; until then nothing is told. */
export function listenForNotices(url: string, { onJob, onEvents }: NoticeListeners): Notices {
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'trivium notices',
    });
    fresh.on('notification', ({ channel, payload = '' }) => {
      if (channel === JOB_CHANNEL) onJob();
      else onEvents(payload);
    });
    fresh.once('end', reconnect);
    // Followed by `end`; without a listener it would end the process.
    fresh.on('error', () => void fresh.end().catch(() => undefined));
    try {
      await fresh.connect();
      await fresh.query(`listen ${JOB_CHANNEL}; listen ${EVENT_CHANNEL}`);
      client = fresh;
      onJob();
    } catch {
      fresh.removeListener('end', reconnect);
      await fresh.end().catch(() => undefined);
      reconnect();
    }
  }

  function reconnect(): void {
    client = undefined;
    if (isStopped) return;
    retry = setTimeout(() => (connecting = connect()), RETRY_MS);
    retry.unref();
  }

  let connecting = connect();
  return {
    async tellEvents(text) {
      const telling = client?.query('select pg_notify($1, $2)', [EVENT_CHANNEL, text]);
      // It fails with the connection.
      await telling?.catch(() => undefined);
    },
    async stop() {
      isStopped = true;
      clearTimeout(retry);
      await connecting;
      await client?.end().catch(() => undefined);
    },
  };
}
