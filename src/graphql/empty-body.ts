import type { FastifyRequest } from 'fastify';
import { createGraphQLError, type Plugin } from 'graphql-yoga';

/**
 * Refuses JSON without a key: `{}`, `[]`, `1`. Yoga takes such a body for one that nobody has read yet, and
 * would wait for its bytes, which Fastify has taken, until the connection is cut.
 */
export function refuseEmptyBody(): Plugin<object, { request: FastifyRequest }> {
  return {
    onRequestParse({ serverContext: { request } }) {
      const isJson = request.headers['content-type']?.includes('json');
      if (!isJson || Object.keys(Object(request.body)).length > 0) return;
      const extensions = { code: 'BAD_REQUEST', http: { status: 400 } };
      throw createGraphQLError('The body has no `query`.', { extensions });
    },
  };
}
