import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authorize } from '../../domain/viewer/access.ts';
import {
  type Call,
  createSendError,
  type DialectOptions,
  leaveBodies,
  refuseAll,
  registerRoutes,
  sendAnswer,
} from '../../http/dialect.ts';
import { evaluateConditions } from '../../http/etag.ts';
import { vary } from '../../http/viewer/cache.ts';
import type { DocumentAnswer } from './document.ts';
import { toErrorAnswer } from './error.ts';
import { checkAccept, checkContentType, JSON_API } from './negotiation.ts';
import { ProblemError } from './problem.ts';
import { parseQuery } from './query.ts';
import { type DocumentRoute, ROUTES } from './route-table.ts';

/** Contract §1.1: the routes are served below the prefix of the gateway that clients know, and without it. */
const GATEWAY_PREFIX = '/api/v1/media';
const PREFIXES = [GATEWAY_PREFIX, ''];

/** Paths that only this dialect uses: it sends the 404 of every path below them. */
const OWN_PATHS = [GATEWAY_PREFIX, '/jobs', '/medias'];

/** Registers the Importer's API: jobs and medias. */
export async function registerImporter(
  server: FastifyInstance,
  options: DialectOptions,
): Promise<void> {
  const sendError = createSendError(JSON_API, (error, { id }) => toErrorAnswer(error, id));
  server.setTargetErrorHandler(OWN_PATHS, sendError);
  await server.register(async (dialect) => {
    leaveBodies(dialect);
    dialect.addHook('onRequest', negotiate);
    // Contract §1.3. The server adds the credentials.
    dialect.addHook('onSend', async (_request, reply) => vary(reply, 'Accept'));
    dialect.setErrorHandler(sendError);
    for (const prefix of PREFIXES) {
      registerRoutes(dialect, ROUTES, {
        ...options,
        prefix,
        serve: (route, call) =>
          'send' in route ? route.send(toQueried(call)) : serveDocument(route, call),
        refuseMethod: (method) =>
          ProblemError.of(405, 'method_not_allowed', `This path does not support ${method}.`),
      });
    }
    for (const path of [GATEWAY_PREFIX, ...OWN_PATHS.map((path) => `${path}/*`)]) {
      refuseAll(dialect, path, nothingThere);
    }
  });
}

/**
 * Checks the headers of a request. Contract §1.3: the body of a GET or DELETE is not read, whatever its content type.
 */
async function negotiate({ method, raw }: FastifyRequest): Promise<void> {
  checkContentType(raw.headers);
  if (method !== 'POST') delete raw.headers['content-type'];
}

function nothingThere(): ProblemError {
  return ProblemError.of(404, 'not_found', 'There is nothing at this path.');
}

async function serveDocument(
  { operation, handle }: DocumentRoute,
  call: Call,
): Promise<FastifyReply> {
  checkAccept(call.request.headers);
  const queried = toQueried(call);
  // First: a viewer who may not call this learns nothing about the request's other faults.
  if (operation !== null) authorize(call.ctx, operation);
  return sendDocument(call, await handle(queried));
}

function toQueried(call: Call) {
  return { ...call, query: parseQuery(call.request.url) };
}

/** Sends a document, with an ETag if it is cacheable. Contract §3.2: clients request the same job every second. */
function sendDocument({ request, reply }: Call, answer: DocumentAnswer): FastifyReply {
  const { body, headers, isCacheable = false } = answer;
  if (headers !== undefined) reply.headers(headers);
  if (body !== null) reply.header('cache-control', 'private, no-cache');
  if (isCacheable) {
    const digest = createHash('sha256').update(JSON.stringify(body)).digest('base64url');
    const etag = `"${digest}"`;
    reply.header('etag', etag);
    if (isKnown(request, etag)) return reply.code(304).send();
  }
  return sendAnswer(reply, JSON_API, answer);
}

/** Compares the tag alone: a job may change several times within the second of a date. */
function isKnown({ headers }: FastifyRequest, etag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  const validators = { etag, lastModified: new Date() };
  return evaluateConditions({ 'if-none-match': known }, validators) === 'not-modified';
}
