import type { FastifyRequest } from 'fastify';
import { CloseCode, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Upgrade } from '../../http/upgrade.ts';
import { loggedPath } from '../../http/viewer/logged-path.ts';
import type { ChannelParts, Sender } from '../channel/operation.ts';
import { Connection, CookieRefusedError } from './connection.ts';
import { credentialOf } from './credential.ts';
import { readMessages } from './inbox.ts';
import { keepAlive } from './keep-alive.ts';

/** Time in which a client has to send `connection_init`. */
const INIT_TIMEOUT_MS = 5000;
/** Time in which a client has to answer the server's wish to close. A stop takes at most some seconds. */
const CLOSE_TIMEOUT_MS = 1500;
/** Maximum size of a message: that of the body of a request that is kept in memory. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;

const options = {
  noServer: true,
  clientTracking: false,
  // It would take 300 KiB for each connection.
  perMessageDeflate: false,
  // One message in each turn of the event loop: a client that sends thousands at once would make others wait for all.
  allowSynchronousEvents: false,
  maxPayload: MESSAGE_BYTES_MAX,
  handleProtocols,
  closeTimeout: CLOSE_TIMEOUT_MS,
};
const handshake = new WebSocketServer(options);

/** A request for WebSocket at the path of GraphQL. */
export interface Opening {
  request: FastifyRequest;
  upgrade: Upgrade;
  /** Aborts when the connection ends, after the time limit of a stream, and when the server stops. */
  ended: AbortSignal;
}

/** Completes the handshake of a WebSocket, or refuses a malformed one, then serves GraphQL on it. */
export function serveSocket(parts: ChannelParts, opening: Opening): void {
  const { request, upgrade } = opening;
  handshake.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) =>
    serve(parts, opening, socket),
  );
}

function serve(parts: ChannelParts, opening: Opening, socket: WebSocket): void {
  const { request, upgrade, ended } = opening;
  const startedAt = performance.now();
  // An error without a listener would end the process. The package closes the connection with a code for the error.
  socket.on('error', () => undefined);
  if (socket.protocol === '') {
    socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
    return;
  }
  const connection = new Connection({
    ...{ socket, parts },
    identify: (payload) => identify(parts, request, payload),
    onInit: () => clearTimeout(late),
  });
  const late = setTimeout(() => {
    const reason = 'Connection initialisation timeout';
    connection.close(CloseCode.ConnectionInitialisationTimeout, reason);
  }, INIT_TIMEOUT_MS);
  const goAway = () => connection.close(GOING_AWAY, 'Connect and subscribe again');
  if (ended.aborted) goAway();
  else ended.addEventListener('abort', goAway);
  socket.on('close', (code) => {
    clearTimeout(late);
    connection.end();
    logConnection(request, { code, startedAt, viewer: connection.sender?.viewer });
  });
  keepAlive(socket);
  readMessages(socket, upgrade.socket, (text) => connection.receive(text));
}

async function identify(
  { server }: ChannelParts,
  request: FastifyRequest,
  payload: Readonly<Record<string, unknown>>,
): Promise<Sender> {
  const headers = credentialOf(server, request, payload);
  if (headers === null) throw new CookieRefusedError();
  const viewer = await server.authenticate({ headers });
  const { id, log, client, calledAs } = request;
  return { id, log, client, calledAs, headers, viewer };
}

/** Writes the log line of a connection when it ends, as for any request. */
function logConnection(
  { method, url, log }: FastifyRequest,
  {
    code,
    startedAt,
    viewer,
  }: { code: number; startedAt: number; viewer: Sender['viewer'] | undefined },
): void {
  const fields = {
    method,
    path: loggedPath(url),
    status: 101,
    closeCode: code,
    durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
    viewer: viewer?.id ?? undefined,
  };
  log.info(fields, 'request');
}
