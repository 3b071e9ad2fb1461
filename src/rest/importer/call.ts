import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../domain/context.ts';
import type { ToUrl } from '../../http/transport.ts';
import type { Parameter } from './query.ts';

/** A request as a handler sees it; its body has not been read. */
export interface Call {
  ctx: Context;
  request: FastifyRequest;
  /** For what is sent as bytes. */
  reply: FastifyReply;
  /** Parameters of its query, in their order. */
  query: readonly Parameter[];
  toUrl: ToUrl;
}

/** What a handler answers with. */
export interface Answer {
  status: number;
  /** Null: none. */
  document: object | null;
  headers?: Readonly<Record<string, string>>;
  /** Whether a client that has this document already is told so, by its ETag. */
  isCacheable?: boolean;
}

/** One segment of the path, decoded; empty where the path has none. */
export function segment({ request }: Call, name: string): string {
  return (request.params as Record<string, string | undefined>)[name] ?? '';
}
