import pg from 'pg';
import { clientConfig, closeClient, destroyClient } from './client.ts';
import { connectError } from './failure.ts';

/** Asks a database whether it responds. */
export interface Ping {
  /** Throws if the database does not respond. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

/** Limit for opening the connection, and again for the answer. */
const TIMEOUT_MS = 800;

/**
 * Creates a ping with one connection, which stays open. Only one check runs at a time, so that checks do not pile up on
 * a database that hangs: callers that come meanwhile get the result of the one that runs.
 */
export function createPostgresPing(url: string): Ping {
  let client: pg.Client | undefined;
  let checking: Promise<void> | undefined;
  const open = () => {
    const fresh = new pg.Client({
      ...clientConfig(url),
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      application_name: 'trivium ping',
    });
    fresh.on('error', () => undefined);
    fresh.once('end', () => {
      if (client === fresh) client = undefined;
    });
    client = fresh;
    return fresh.connect().then(() => fresh);
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
      await checking?.catch(() => undefined);
      if (client !== undefined) await closeClient(client);
    },
  };
}
