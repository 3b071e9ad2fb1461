import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Tally } from '../domain/event/tally.ts';
import { isLoopback, networkOf, trustOf } from './client.ts';
import { SECURITY_HEADERS } from './content-policy.ts';
import { rawRefusal } from './http-error.ts';
import { handleInTurn } from './pipelining.ts';

/** A connection without traffic for this long is closed, because it may hold the lock of an upload. */
const IDLE_TIMEOUT_MS = 60_000;

/**
 * `headersTimeout`: limit for the arrival of the headers of a request; the next line: the interval of its check. Browsers
 * keep idle connections for longer than Node's 5 s. No limit for a whole request: `createBodyWatch` says why.
 */
const TIMEOUTS = {
  headersTimeout: 20_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 72_000,
  requestTimeout: 0,
};

/**
 * Creates the server of Node that listens, with the time limits of connections. `isUpgrade` tells which requests change
 * the protocol of their connection.
 */
export function createListener(
  handle: RequestListener,
  isUpgrade: (request: IncomingMessage) => boolean,
): Server {
  const options = { ...TIMEOUTS, shouldUpgradeCallback: isUpgrade };
  return createServer(options, handleInTurn(handle)).setTimeout(IDLE_TIMEOUT_MS);
}

/** Answers a connection whose bytes are no request. No dialect is known: the body is that of Fastify. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  const [statusCode, message] = CONNECTION_ERRORS[error.code ?? ''] ?? [400, 'Client Error'];
  const status = STATUS_CODES[statusCode];
  // Node destroys a socket that the client has reset.
  if (socket.writable) {
    const body = { error: status, message, statusCode };
    socket.write(rawRefusal(`${statusCode} ${status}`, { body, headers: SECURITY_HEADERS }));
  }
  socket.destroy(error);
}

const CONNECTION_ERRORS: Readonly<Record<string, readonly [number, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Client Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Exceeded maximum allowed HTTP header size'],
};

/** Far more than the six that a browser opens. */
const DEFAULT_MAX = 512;

const REFUSAL = rawRefusal('429 Too Many Requests', {
  body: {
    error: {
      code: 'TOO_MANY_CONNECTIONS',
      message: 'This address has too many open connections. Close some, or try again later.',
    },
  },
  headers: { 'Retry-After': 5, ...SECURITY_HEADERS },
});

/** Options of `boundConnections`. */
export interface BoundOptions {
  /** Maximum number; 0: no limit; null: the default, without a limit for loopback addresses. */
  max: number | null;
  /** Trusted proxies. They have no limit, because they pass on the requests of many clients. */
  trustedProxies: readonly string[];
  /** Counts the open connections of all workers of this server. */
  open: Tally;
}

/** Limits the open connections of each address. Closes further ones at once with a 429. */
export function boundConnections(
  server: Server,
  { max, trustedProxies, open }: BoundOptions,
): void {
  if (max === 0) return;
  const isTrusted = trustOf(trustedProxies);
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    if (isTrusted(remoteAddress, 0) || (max === null && isLoopback(remoteAddress))) return;
    const network = networkOf(remoteAddress);
    open.change(network, 1);
    socket.once('close', () => open.change(network, -1));
    if (open.get(network) > (max ?? DEFAULT_MAX)) socket.end(REFUSAL, () => socket.destroy());
  });
}

/**
 * Closes connections that have never been used when the server stops. Browsers and undici open them
 * in advance; Node does not count them as idle, and would wait for a request that never comes.
 */
export function closeUnusedConnections(server: FastifyInstance): void {
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.addHook('preClose', (done) => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    done();
  });
}
