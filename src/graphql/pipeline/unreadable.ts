import type { FastifyRequest } from 'fastify';
import { createGraphQLError, type Plugin } from 'graphql-yoga';

/**
 * Refuses with 400 what Yoga would not answer as a mistake of the client. JSON without a key, `{}`, `[]`, `1`, it takes
 * for a body that nobody has read yet, and would wait for its bytes, which Fastify has taken, until the connection is
 * cut; parameters of a URL that are no JSON it takes for an error of ours.
 */
export function refuseUnreadable(): Plugin<object, { request: FastifyRequest }> {
  return {
    onRequestParse({ serverContext: { request } }) {
      if (request.method === 'GET') checkParameters(request.query as Record<string, unknown>);
      else if (isWithoutQuery(request)) throw refusal('The body has no `query`.');
    },
  };
}

function isWithoutQuery({ headers, body }: FastifyRequest): boolean {
  if (!headers['content-type']?.includes('json')) return false;
  if (Array.isArray(body) && body.length > 0) return false;
  return (body as { query?: unknown } | null | undefined)?.query === undefined;
}

function checkParameters(query: Record<string, unknown>): void {
  for (const name of ['variables', 'extensions']) {
    const text = query[name];
    if (typeof text !== 'string' || text === '' || isJson(text)) continue;
    throw refusal(`The parameter \`${name}\` is no JSON.`);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refusal(message: string) {
  const extensions = { code: 'BAD_REQUEST', http: { status: 400 } };
  return createGraphQLError(message, { extensions });
}
