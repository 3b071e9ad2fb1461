import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { rawRefusal } from './http-error.ts';
import { isBusy } from './pipelining.ts';

/** A connection that a client wants to use for WebSocket. */
export interface Upgrade {
  socket: Socket;
  /** Bytes that the client has sent after the request. */
  head: Buffer;
}

/** The requests for WebSocket. */
export interface Upgrades {
  /** Accepts requests for WebSocket at this path. */
  accept(path: string): void;
  /** Tells whether a request leads to a WebSocket. Every other one is handled as if it did not ask for one. */
  isWanted(request: IncomingMessage): boolean;
  /** Passes the requests to the routes of a server. */
  connect(server: FastifyInstance): void;
}

/** Creates the requests for WebSocket. RFC 9110 §7.8: a server may ignore `Upgrade`, so that other paths do. */
export function createUpgrades(): Upgrades {
  const paths = new Set<string>();
  const isWanted = (request: IncomingMessage) =>
    isForWebSocket(request) && paths.has(pathOf(request)) && !isBusy(request.socket);
  return {
    accept: (path) => void paths.add(path),
    isWanted,
    connect(server) {
      (server.server as Server).on('upgrade', (request, stream, head) => {
        const socket = stream as Socket;
        // Node has removed its own listener. An error without one would end the process.
        socket.on('error', () => socket.destroy());
        // A version of Node without `shouldUpgradeCallback` emits the event for any protocol.
        if (!isWanted(request)) return void socket.end(NOT_SUPPORTED, () => socket.destroy());
        server.routing(request, prepareRefusal(request, { socket, head }));
      });
    },
  };
}

const NOT_SUPPORTED = rawRefusal('501 Not Implemented', {
  body: { error: { code: 'NOT_IMPLEMENTED', message: 'The server supports no such upgrade.' } },
  headers: {},
});

interface Pending extends Upgrade {
  response: ServerResponse;
}

const pending = new WeakMap<IncomingMessage, Pending>();

/** Tells whether a request leads to a WebSocket unless it is refused. */
export function isUpgrade(request: IncomingMessage): boolean {
  return pending.has(request);
}

/**
 * Takes the connection of a request, which from then on gets no response of HTTP. Returns null if the request has none to
 * take.
 */
export function takeUpgrade(request: IncomingMessage): Upgrade | null {
  const upgrade = pending.get(request);
  if (upgrade === undefined) return null;
  pending.delete(request);
  const { socket, head, response } = upgrade;
  response.detachSocket(socket);
  // For those who wait for the end of the response.
  response.emit('close');
  return { socket, head };
}

/** Returns a response on the connection, for a refusal. The connection ends after it. */
function prepareRefusal(request: IncomingMessage, upgrade: Upgrade): ServerResponse {
  const { socket } = upgrade;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  pending.set(request, { ...upgrade, response });
  return response;
}

function isForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

function pathOf({ url = '' }: IncomingMessage): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)[0] ?? '';
  return path.replace(/\/$/, '');
}
