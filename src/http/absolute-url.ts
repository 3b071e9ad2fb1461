import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Returns the absolute URL of a path on this server. */
export type ToUrl = (path: string) => string;

/** Returns a `ToUrl` whose base is `publicUrl`, or else the name by which the client called this server. */
export function urlMaker(publicUrl: string | null, request: FastifyRequest): ToUrl {
  const host = request.host || localAddress(request.socket);
  const base = publicUrl ?? origins.get(request.raw) ?? `${request.protocol}://${host}`;
  return (path) => base + path;
}

/**
 * Records the scheme and host of a request whose target is a whole URL. RFC 9112 §3.2.2: the `Host` header must then
 * be ignored.
 */
export function noteTargetOrigin(request: IncomingMessage, origin: string): void {
  origins.set(request, origin);
}

const origins = new WeakMap<IncomingMessage, string>();

/** Names this server when the client did not: HTTP/1.0 has no `Host`, and it may be empty. */
function localAddress({ localAddress = '', localPort }: FastifyRequest['socket']): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
