import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { evaluateConditions } from '../../http/etag.ts';
import { vary, varyByViewer } from '../../http/viewer/cache.ts';

/** Caches keep the response, and ask the server each time whether it still holds. */
const REVALIDATED = 'public, no-cache';

/**
 * Tells whether caches may keep the result of an operation: of a GET without a credential. What depends on a viewer is
 * never kept.
 */
export function isCacheable({ request: { method, viewer } }: FastifyReply): boolean {
  return method === 'GET' && viewer.kind === 'anonymous';
}

/** Sends a result that caches may keep, or 304 to a client that has the same one. */
export function sendCacheable(reply: FastifyReply, body: string): FastifyReply {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 27);
  const etag = `"${digest}"`;
  varyByViewer(reply);
  vary(reply, 'Accept');
  // A proxy may compress the body, so that the tag is a weak one.
  reply.headers({ etag: `W/${etag}`, 'cache-control': REVALIDATED });
  const verdict = evaluateConditions(reply.request.headers, { etag, lastModified: null });
  if (verdict === 'not-modified') return reply.code(304).removeHeader('content-type').send();
  return reply.send(body);
}
