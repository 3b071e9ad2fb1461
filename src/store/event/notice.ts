import pg from 'pg';
import { JOB_CHANNEL } from '../postgres/job-notice.ts';
import { clientConfig, closeClient, destroyClient } from '../postgres/client.ts';

/** The channel on which the processes of one PostgreSQL database exchange events. */
const EVENT_CHANNEL = 'trivium_event';

/** Delay before a lost connection is opened again. */
const RETRY_MS = 2000;

/**
 * Limit for opening the connection and for each of its statements. A connection that is silent for longer is closed.
 */
const TIMEOUT_MS = 5000;

/** Interval of the test of the connection: without traffic, a broken network would not be noticed for hours. */
const TEST_MS = 10_000;

/** The notices between the processes of one PostgreSQL database. */
export interface Notices {
  /**
   * Sends a text of less than 8,000 bytes to `onEvents` of all processes, this one included. Returns whether the
   * database has accepted it. Without a connection, the text is lost.
   */
  tellEvents(text: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** The listeners of a process. */
export interface NoticeListeners {
  /** Called when there may be work for a worker, and whenever a notice may have been missed. */
  onJob: () => void;
  onEvents: (text: string) => void;
  /** Called when the process listens again after it may have missed notices. */
  onGap: () => void;
}

/** The settings of the connection; tests shorten the times. */
export interface NoticeOptions {
  /** (Default: 2 s) */
  retryMs?: number;
  /** (Default: 10 s) */
  testMs?: number;
  /** (Default: 5 s) */
  timeoutMs?: number;
}

/** Listens until it is stopped. A lost connection is opened again; notices sent meanwhile are lost. */
export function listenForNotices(
  url: string,
  { onJob, onEvents, onGap }: NoticeListeners,
  { retryMs = RETRY_MS, testMs = TEST_MS, timeoutMs = TIMEOUT_MS }: NoticeOptions = {},
): Notices {
  /** The connection while it listens. */
  let client: pg.Client | undefined;
  /** The connection, also while it is being opened. */
  let newest: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isStopped = false;
  let hasGap = false;

  async function connect(): Promise<void> {
    const fresh = createClient(url, timeoutMs);
    newest = fresh;
    fresh.on('notification', ({ channel, payload = '' }) => {
      if (channel === JOB_CHANNEL) onJob();
      else onEvents(payload);
    });
    if (!(await listen(fresh))) {
      reconnect();
      return;
    }
    const test = setInterval(() => void ask(fresh, 'select 1'), testMs);
    fresh.once('end', () => {
      clearInterval(test);
      reconnect();
    });
    client = fresh;
    onJob();
    if (hasGap) onGap();
    hasGap = false;
  }

  function reconnect(): void {
    client = undefined;
    hasGap = true;
    if (isStopped) return;
    retry = setTimeout(() => (connecting = connect()), retryMs);
    retry.unref();
  }

  let connecting = connect();
  return {
    async tellEvents(text) {
      await connecting;
      return client !== undefined && ask(client, 'select pg_notify($1, $2)', [EVENT_CHANNEL, text]);
    },
    async stop() {
      isStopped = true;
      clearTimeout(retry);
      if (client === undefined && newest !== undefined) destroyClient(newest);
      await connecting;
      if (client !== undefined) await closeClient(client);
    },
  };
}

function createClient(url: string, timeoutMs: number): pg.Client {
  const client = new pg.Client({
    ...clientConfig(url),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'trivium notices',
  });
  // Without a listener, the error would end the process. The event `end` follows.
  client.on('error', () => destroyClient(client));
  return client;
}

/** Opens the connection and listens. Returns false, and closes it, if that fails. */
async function listen(client: pg.Client): Promise<boolean> {
  try {
    await client.connect();
  } catch {
    destroyClient(client);
    return false;
  }
  return ask(client, `listen ${JOB_CHANNEL}; listen ${EVENT_CHANNEL}`);
}

/** Runs a statement; closes the connection, and returns false, if it fails or takes too long. */
async function ask(client: pg.Client, text: string, values?: string[]): Promise<boolean> {
  try {
    await client.query(text, values);
    return true;
  } catch {
    destroyClient(client);
    return false;
  }
}
