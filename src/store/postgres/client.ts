import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import pg from 'pg';

/** Limit for opening a connection, and for waiting until one of the pool is free. */
export const CONNECT_TIMEOUT_MS = 5000;

/**
 * Limit for closing a connection. A server that does not respond must not block the end of the process.
 */
const CLOSE_TIMEOUT_MS = 1000;

/** The parts of a client that `pg` does not document, and that only this folder uses. */
export interface ClientInternals {
  connection: EventEmitter & {
    stream: Socket;
    connect(portOrPath: number | string, host?: string): void;
    requestSsl(): void;
    cancel(processId: number, secretKey: number): void;
  };
  host: string;
  port: number;
  ssl: unknown;
  sslNegotiation: string;
  processID: number;
  secretKey: number;
}

/** Returns the undocumented parts of a client. */
export function internalsOf(client: pg.ClientBase): ClientInternals {
  return client as unknown as ClientInternals;
}

/** Returns the settings of every connection to a database. The parameters of the URL take precedence. */
export function clientConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'trivium',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: {
      getTypeParser: (oid, format) => integerParser(oid) ?? pg.types.getTypeParser(oid, format),
    },
  };
}

/** Parses `bigint` and `numeric`, the types of `sum` and `count`, as numbers: no value of ours exceeds 2^53. */
function integerParser(oid: number): ((text: string) => number) | undefined {
  return oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC ? Number : undefined;
}

/** Closes a socket at once, without the closing message, which a hanging server would not read. */
export function destroyClient(client: pg.ClientBase): void {
  internalsOf(client).connection.stream.destroy();
}

/** Closes a connection of its own. Never rejects, and takes a second at most. */
export async function closeClient(client: pg.Client): Promise<void> {
  const late = setTimeout(() => destroyClient(client), CLOSE_TIMEOUT_MS);
  await client.end().catch(() => undefined);
  clearTimeout(late);
}
