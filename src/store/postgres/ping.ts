import pg from 'pg';
import { CONNECT_TIMEOUT_MS, clientConfig, closeClient, destroyClient } from './client.ts';
import { connectError } from './failure.ts';

/** Asks a database whether it responds. */
export interface Ping {
  /** Throws if the database does not respond. */
  check(): Promise<void>;
  /** Closes the connection. A check in progress fails. */
  stop(): Promise<void>;
}

/** The settings of a ping; tests shorten the time. */
export interface PingOptions {
  /**
   * Limit for the answer, and for the first attempt to open the connection. (Default: 1 s, so that no database that
   * answers within the limit of a health check loses its connection)
   */
  timeoutMs?: number;
}

/**
 * Creates a ping with one connection, which stays open. Only one check runs at a time, so that checks do not pile up on
 * a database that hangs: callers that come meanwhile get the result of the one that runs.
 *
 * Opening a connection takes longer than a statement: on a busy server, or with TLS and a password over a slow network,
 * longer than the limit. So each attempt that fails doubles the limit of the next one, up to the limit of the pool.
 * Otherwise a database that serves statements would never count as ready.
 */
export function createPostgresPing(url: string, { timeoutMs = 1000 }: PingOptions = {}): Ping {
  let client: pg.Client | undefined;
  let checking: Promise<void> | undefined;
  let openMs = timeoutMs;
  const open = async () => {
    const fresh = createClient(url, { openMs, timeoutMs });
    fresh.once('end', () => {
      if (client === fresh) client = undefined;
    });
    client = fresh;
    openMs = Math.min(2 * openMs, CONNECT_TIMEOUT_MS);
    await fresh.connect();
    openMs = timeoutMs;
    return fresh;
  };
  const check = async () => {
    try {
      await (client ?? (await open())).query('select 1');
    } catch (error) {
      if (client !== undefined) destroyClient(client);
      client = undefined;
      throw connectError(error);
    }
  };
  return {
    check: () => {
      checking ??= check().finally(() => {
        checking = undefined;
      });
      return checking;
    },
    async stop() {
      if (checking !== undefined && client !== undefined) destroyClient(client);
      await checking?.catch(() => undefined);
      if (client !== undefined) await closeClient(client);
    },
  };
}

function createClient(url: string, { openMs, timeoutMs }: { openMs: number; timeoutMs: number }) {
  const client = new pg.Client({
    ...clientConfig(url),
    connectionTimeoutMillis: openMs,
    query_timeout: timeoutMs,
    application_name: 'trivium ping',
  });
  // An error without a listener would end the process. The check fails with the same error.
  client.on('error', () => undefined);
  return client;
}
