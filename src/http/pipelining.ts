import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Maximum number of requests that wait on one connection. Clients that pipeline send about ten. */
const WAITING_MAX = 100;
/** A connection is closed at once if this many further requests arrive on it. */
const EXCESS_MAX = 1000;

type Exchange = readonly [IncomingMessage, ServerResponse];

/** A connection that has an unfinished response. */
interface Line {
  /** In order of arrival. */
  waiting: Exchange[];
  /** Number of requests beyond the limit, which are not handled. */
  excess: number;
}

const lines = new WeakMap<Socket, Line>();

/** Tells whether a connection has an unfinished response. */
export function isBusy(socket: Socket): boolean {
  return lines.has(socket);
}

/**
 * Returns a listener that handles the requests of a connection one after the other: a request waits until the response
 * to the one before it has been sent. Node emits all requests of a packet at once, so that one client with 500 pipelined
 * downloads made others wait for 300 ms.
 *
 * Beyond `WAITING_MAX`, the response to the last request that has a place closes the connection. The client repeats the
 * others (RFC 9112 §9.3.2).
 */
export function handleInTurn(handle: RequestListener): RequestListener {
  const start = (line: Line, [request, response]: Exchange) => {
    const { socket } = request;
    response.once('close', () => {
      if (line.waiting.length === 0) lines.delete(socket);
      // Not at once: a chain of responses that wait for nothing would never return to the event loop.
      else setImmediate(next, line, socket);
    });
    handle(request, response);
  };
  const next = (line: Line, socket: Socket) => {
    const first = line.waiting.shift();
    // After the client has disconnected, or a response has closed the connection, nobody reads further responses.
    if (first === undefined || !socket.writable) line.waiting.length = 0;
    else start(line, first);
  };
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket);
    if (line !== undefined) return wait(line, [request, response]);
    const opened = { waiting: [], excess: 0 };
    lines.set(socket, opened);
    start(opened, [request, response]);
  };
}

function wait(line: Line, exchange: Exchange): void {
  if (line.excess === 0 && line.waiting.length < WAITING_MAX) {
    line.waiting.push(exchange);
    return;
  }
  line.excess += 1;
  const last = line.waiting.at(-1);
  if (last !== undefined) last[1].shouldKeepAlive = false;
  if (line.excess === EXCESS_MAX) exchange[0].socket.destroy();
}
