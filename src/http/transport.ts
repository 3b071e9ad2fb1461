import type { FastifyRequest } from 'fastify';
import type { Context, Services } from '../domain/context.ts';
import { targetOrigin } from './target.ts';

/** What every transport is registered with. */
export interface TransportOptions {
  services: Services;
  /** Base of absolute links; null: scheme and host of the request. */
  publicUrl: string | null;
}

/** The context of the operation that a request asks for. */
export function requestContext(services: Services, request: FastifyRequest): Context {
  return { ...services, viewer: request.viewer, log: request.log };
}

/** Makes an absolute URL of a path on this server. */
export type ToUrl = (path: string) => string;

/** Links begin with the configured base, or with what the client called this server. */
export function urlMaker(publicUrl: string | null, request: FastifyRequest): ToUrl {
  const host = request.host || localAddress(request.socket);
  const base = publicUrl ?? targetOrigin(request.raw) ?? `${request.protocol}://${host}`;
  return (path) => base + path;
}

/** Where a client came that did not say whom it calls: HTTP/1.0 has no `Host`, and it may be empty. */
function localAddress({ localAddress = '', localPort }: FastifyRequest['socket']): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
