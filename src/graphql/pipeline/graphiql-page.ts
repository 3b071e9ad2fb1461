import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { preferredType } from '../../http/accept.ts';
import { preferredEncoding } from '../../http/compression.ts';
import { refuseOtherMethods } from '../../http/dialect.ts';
import { evaluateConditions } from '../../http/etag.ts';
import { HttpError } from '../../http/http-error.ts';
import { sendPage } from '../../http/page.ts';
import { vary } from '../../http/viewer/cache.ts';
import { GRAPHIQL_EXTENSIONS, GRAPHIQL_NAME, graphiqlFiles, renderPage } from '../graphiql.ts';

const TYPES = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ico: 'image/x-icon',
} as const;

/** Registers the files of GraphiQL, which browsers keep for ever: their names change with their content. */
export function registerGraphiqlFiles(server: FastifyInstance): void {
  for (const extension of GRAPHIQL_EXTENSIONS) {
    const url = `/graphql/${GRAPHIQL_NAME}.${extension}`;
    server.route({
      method: ['GET', 'HEAD'],
      url,
      // A wrong credential must not keep the page from being shown: it says what is wrong.
      config: { ignoresCredentials: true },
      handler: async (request, reply) => {
        vary(reply, 'Accept-Encoding');
        reply.header('cache-control', 'public, max-age=31536000, immutable');
        const file = (await graphiqlFiles())[extension];
        const encoding = preferredEncoding(request.headers['accept-encoding']?.toString());
        reply.type(TYPES[extension]);
        if (encoding === null) return reply.send(Readable.from([file.gzip]).pipe(createGunzip()));
        return reply.header('content-encoding', encoding).send(Buffer.from(file[encoding].buffer));
      },
    });
    refuseOtherMethods(server, url, ['GET', 'HEAD'], (method) => {
      return new HttpError(405, 'METHOD_NOT_ALLOWED', `This file does not support ${method}.`);
    });
  }
}

/** A page is sent only to a client that prefers it to a result. */
const PREFERENCES = [
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'text/html',
] as const;

/**
 * Sends GraphiQL to a person in a browser; without it, a page that says so, unless the request has a query. Returns null
 * for any other request.
 */
export function sendPageIfAsked(
  request: FastifyRequest,
  reply: FastifyReply,
  isGraphiqlEnabled: boolean,
): FastifyReply | null {
  const { method, headers } = request;
  if (method !== 'GET' || preferredType(headers.accept, PREFERENCES) !== 'text/html') return null;
  if (isGraphiqlEnabled) return sendGraphiql(request, reply);
  const hasQuery = Object.keys(request.query as object).length > 0;
  return hasQuery ? null : sendPage(reply.code(404), IS_OFF);
}

/** Tag of the page, whose nonce differs each time. */
const ETAG = `"${createHash('sha256').update(renderPage('').html).digest('base64url')}"`;

/**
 * Sends GraphiQL. The response has no policy if the browser has the page already: the policy that it has stored with the
 * page names the nonce of that page.
 */
function sendGraphiql({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = headers['if-none-match'];
  const validators = { etag: ETAG, lastModified: new Date() };
  const conditions = known === undefined ? {} : { 'if-none-match': known };
  reply.header('cache-control', 'private, no-cache').header('etag', `W/${ETAG}`);
  if (evaluateConditions(conditions, validators) === 'not-modified') {
    return reply.removeHeader('content-security-policy').code(304).send();
  }
  // While the browser reads the page, its files are being made.
  void graphiqlFiles().catch(() => undefined);
  const { html, policy } = renderPage();
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .send(html);
}

const IS_OFF = `<h1>GraphiQL is off</h1>
<p>This is the address of the GraphQL API: programs send their queries here. The page with an editor for queries is off, because
<code>TRIVIUM_AUTH</code> is <code>required</code>, or <code>TRIVIUM_GRAPHIQL</code> is <code>off</code>.</p>
<p>To turn it on, start the server with <code>TRIVIUM_GRAPHIQL=on</code>.</p>
<p><a href="/">Trivium</a></p>
`;
