import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authorize } from '../../domain/viewer/access.ts';
import { evaluateConditions } from '../../http/etag.ts';
import { logFailure } from '../../http/server.ts';
import { requestContext, type TransportOptions, urlMaker } from '../../http/transport.ts';
import type { Answer, Call } from './call.ts';
import { toErrorAnswer } from './error.ts';
import { checkAccept, checkContentType, JSON_API } from './negotiation.ts';
import { RefusedError } from './problem.ts';
import { parseQuery } from './query.ts';
import { DOWNLOADS, ROUTES } from './route-table.ts';

/** Contract §1.1: behind the gateway that clients know, and as the service itself. */
const GATEWAY_PREFIX = '/api/v1/media';
const PREFIXES = [GATEWAY_PREFIX, ''];

/** Where no other road has anything: what is not found there is told in this one's words. */
const OWN_PATHS = [GATEWAY_PREFIX, '/jobs', '/medias'];

/** The Importer's API: jobs and medias. */
export async function registerImporter(
  server: FastifyInstance,
  options: TransportOptions,
): Promise<void> {
  server.setTargetErrorHandler(OWN_PATHS, sendError);
  await server.register(async (dialect) => {
    // Handlers read the body themselves, and of GET and DELETE nobody does: contract §1.3.
    dialect.removeAllContentTypeParsers();
    dialect.addContentTypeParser('*', (_request, _body, done) => done(null));
    dialect.addHook('onRequest', negotiate);
    dialect.setErrorHandler(sendError);
    for (const prefix of PREFIXES) registerRoutes(dialect, prefix, options);
    for (const path of OWN_PATHS) refuseUnknown(dialect, path);
  });
}

function registerRoutes(server: FastifyInstance, prefix: string, options: TransportOptions): void {
  for (const { method, path, operation, handle } of ROUTES) {
    server.route({
      method,
      url: prefix + path,
      handler: async (request, reply) => {
        checkAccept(request.headers);
        const call = toCall(options, request, reply);
        // Before anything is looked at: who may not ask at all learns nothing of what is wrong.
        if (operation !== null) authorize(call.ctx, operation);
        return sendAnswer(call, await handle(call));
      },
    });
  }
  for (const { path, send } of DOWNLOADS) {
    server.route({
      // HEAD by name: Fastify's own would read the file to its end, to throw it away.
      method: ['GET', 'HEAD'],
      url: prefix + path,
      handler: (request, reply) => send(toCall(options, request, reply.headers(COMMON_HEADERS))),
    });
  }
  refuseOtherMethods(server, prefix);
}

/** Contract §1.1: 405, and what would do. */
function refuseOtherMethods(server: FastifyInstance, prefix: string): void {
  const served = [...ROUTES, ...DOWNLOADS.map(({ path }) => ({ path, method: 'GET' }))];
  for (const [path, routes] of Map.groupBy(served, ({ path }) => path)) {
    const methods = routes.map(({ method }) => method);
    const isRead = methods.includes('GET');
    const allowed = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'].filter(
      (method) => methods.includes(method) || method === 'OPTIONS' || (isRead && method === 'HEAD'),
    );
    server.route({
      // A request with OPTIONS is answered before it comes here.
      method: server.supportedMethods.filter((method) => !allowed.includes(method)),
      url: prefix + path,
      handler: ({ method }, reply) => {
        reply.header('allow', allowed.join(', '));
        throw RefusedError.of(405, 'method_not_allowed', `${method} is not possible here.`);
      },
    });
  }
}

function refuseUnknown(server: FastifyInstance, path: string): void {
  const method = server.supportedMethods.filter((method) => method !== 'OPTIONS');
  const handler = () => {
    throw RefusedError.of(404, 'not_found', 'There is nothing at this path.');
  };
  server.route({ method, url: `${path}/*`, handler });
  if (path === GATEWAY_PREFIX) server.route({ method, url: path, handler });
}

function toCall(
  { services, publicUrl }: TransportOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Call {
  return {
    ctx: requestContext(services, request),
    request,
    reply,
    query: parseQuery(request.url),
    toUrl: urlMaker(publicUrl, request),
  };
}

/** Contract §1.3: a body of GET or DELETE is nobody's, whatever it is called. */
async function negotiate({ method, raw }: FastifyRequest): Promise<void> {
  checkContentType(raw.headers);
  if (method !== 'POST') delete raw.headers['content-type'];
}

/** Contract §1.3. */
const COMMON_HEADERS = { vary: 'Accept, Authorization' };

/** Contract §3.2: clients ask for the same job every second. */
function sendAnswer({ request, reply }: Call, answer: Answer): FastifyReply {
  const { status, document, headers, isCacheable = false } = answer;
  reply.code(status).headers({ ...COMMON_HEADERS, ...headers });
  if (document === null) return reply.send();
  const body = JSON.stringify(document);
  reply.header('cache-control', 'no-cache');
  if (isCacheable) {
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    reply.header('etag', etag);
    if (isKnown(request, etag)) return reply.code(304).send();
  }
  return sendJson(reply, body);
}

/** By its tag alone: a job may change several times within the second of a date. */
function isKnown({ headers }: FastifyRequest, etag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  const validators = { etag, lastModified: new Date() };
  return evaluateConditions({ 'if-none-match': known }, validators) === 'not-modified';
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  logFailure(request, error);
  const { status, headers, document } = toErrorAnswer(error, request.id);
  reply.code(status).headers({ ...COMMON_HEADERS, ...headers });
  return sendJson(reply, JSON.stringify(document));
}

/** As bytes: to text Fastify adds a charset, and JSON:API's type may have none. */
function sendJson(reply: FastifyReply, body: string): FastifyReply {
  return reply.header('content-type', JSON_API).send(Buffer.from(body));
}
