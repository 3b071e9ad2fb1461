import type { FastifyRequest } from 'fastify';
import type { Context } from '../../domain/context.ts';
import type { ToUrl } from '../../http/transport.ts';

/** A request as a handler sees it; its body has not been read. */
export interface Call {
  ctx: Context;
  request: FastifyRequest;
  toUrl: ToUrl;
}

/** What a handler answers with, sent as HAL. */
export interface Answer {
  status: number;
  body: object;
}

/** A segment of the path, decoded. */
export function pathParameter({ request }: Call, name: 'id' | 'alias'): string {
  return (request.params as Record<string, string | undefined>)[name] ?? '';
}
