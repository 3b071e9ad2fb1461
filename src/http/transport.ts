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
  const called = targetOrigin(request.raw) ?? `${request.protocol}://${request.host}`;
  const base = publicUrl ?? called;
  return (path) => base + path;
}
