import pg from 'pg';
import { EVENT_CHANNEL, JOB_CHANNEL } from '../dialect.ts';

/** Delay before a lost connection is opened again. */
const RETRY_MS = 2000;

/** Limit for closing the connection: a server that does not respond must not block the end of the process. */
const CONNECT_MS = 5000;

/** The notices between the processes of one PostgreSQL database. */
export interface Notices {
  /**
   * Sends a text of less than 8,000 bytes to `onEvents` of all processes, this one included. Lost while there is no
   * connection.
   */
  tellEvents(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** The listeners of a process. */
export interface NoticeListeners {
  /** Called when there may be work for a worker, and whenever a notice may have been missed. */
  onJob: () => void;
  onEvents: (text: string) => void;
}

/** Listens until it is stopped. A lost connection is opened again; notices sent meanwhile are lost. */
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
    // `end` follows. Without a listener it would end the process.
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
      // Fails with the connection.
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
