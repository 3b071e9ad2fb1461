import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { DomainError } from '../domain/error.ts';
import { ANONYMOUS, type Viewer } from '../domain/viewer/viewer.ts';
import type { Authenticate } from './auth.ts';
import { httpStatus, publicMessage } from './status.ts';
import { noteTargetOrigin } from './target.ts';
import { closeUnusedConnections } from './unused-connection.ts';

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer;
  }
  interface FastifyInstance {
    /** Shapes errors of targets that cannot be read, below these paths: no route of a road is found for them. */
    setTargetErrorHandler(paths: readonly string[], handle: TargetErrorHandler): void;
  }
}

type TargetErrorHandler = (error: Error, request: FastifyRequest, reply: FastifyReply) => unknown;

/** What the server is handed by the composition root. */
export interface ServerOptions {
  log: FastifyBaseLogger;
  authenticate: Authenticate;
  /** Throws unless requests can be served. */
  checkReady: () => Promise<void>;
}

/** A connection on which nothing moves for so long is cut: it may hold an upload's lock. */
const IDLE_TIMEOUT_MS = 60_000;

const CORS: FastifyCorsOptions = {
  origin: '*',
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  exposedHeaders: [
    'accept-ranges',
    'content-disposition',
    'content-range',
    'etag',
    'retry-after',
    'x-request-id',
  ],
  maxAge: 86_400,
  strictPreflight: false,
};

/** The server that the transports are registered on: ids, log, CORS, credentials, errors, health. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const targetErrorHandlers: { paths: readonly string[]; handle: TargetErrorHandler }[] = [];
  const server = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    connectionTimeout: IDLE_TIMEOUT_MS,
    rewriteUrl: toOriginForm,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1000 },
    // A malformed path: found before any hook runs.
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      const isBelow = (path: string) => request.url.startsWith(path);
      const own = targetErrorHandlers.find(({ paths }) => paths.some(isBelow));
      if (own !== undefined) own.handle(error, request, reply as FastifyReply);
      else (reply as FastifyReply).code(httpStatus(error)).send(toBody(error));
    },
  });
  server.decorate('setTargetErrorHandler', (paths, handle) => {
    targetErrorHandlers.push({ paths, handle });
  });
  server.decorateRequest('viewer');
  server.addHook('onRequest', async (request, reply) => {
    request.viewer = ANONYMOUS;
    setCommonHeaders(request, reply);
  });
  // Before the credentials: a preflight request carries none.
  await server.register(cors, CORS);
  server.addHook('onRequest', async (request) => {
    request.viewer = await options.authenticate(request);
  });
  server.addHook('onSend', addChallenge);
  server.addHook('onResponse', logResponse);
  server.setErrorHandler((error, request, reply) => {
    logFailure(request, error);
    return reply.code(httpStatus(error)).send(toBody(error));
  });
  server.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ error: { code: 'NOT_FOUND', message: 'There is nothing at this path.' } }),
  );
  registerHealth(server, options);
  closeUnusedConnections(server);
  return server;
}

/** The error as a transport's handler sees it: logged with its stack if it is a bug of ours. */
export function logFailure(request: FastifyRequest, error: unknown): void {
  if (httpStatus(error) >= 500) request.log.error({ err: error }, 'request failed');
}

/** RFC 9112 §3.2.2: a client behind a proxy sends the whole URL as its target. */
function toOriginForm(request: IncomingMessage & { originalUrl?: string }): string {
  const { url = '/' } = request;
  const [origin = ''] = /^https?:\/\/[^/?#]*/i.exec(url) ?? [];
  const rest = url.slice(origin.length);
  const path = origin === '' || rest.startsWith('/') ? rest : `/${rest}`;
  if (origin !== '') noteTargetOrigin(request, origin);
  // Fastify keeps the target as it came, and Yoga prefers that.
  request.originalUrl = path;
  return path;
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
}

// RFC 9110 §15.5.2: a 401 says how to do better. `Basic` would make browsers ask for a password.
function addChallenge(
  _request: FastifyRequest,
  reply: FastifyReply,
  _payload: unknown,
  done: () => void,
): void {
  if (reply.statusCode === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header('www-authenticate', 'Bearer');
  }
  done();
}

function toBody(error: unknown) {
  const code =
    error instanceof DomainError
      ? error.code
      : httpStatus(error) < 500
        ? 'BAD_REQUEST'
        : 'INTERNAL';
  return { error: { code, message: publicMessage(error) } };
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}

// Without the query: it can hold what a log should not.
async function logResponse(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { method, url } = request;
  const fields = {
    method,
    path: url.split('?', 1)[0],
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    viewer: request.viewer.id ?? undefined,
  };
  request.log.info(fields, 'request');
}

function registerHealth(server: FastifyInstance, { checkReady }: ServerOptions): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (request, reply) => {
    try {
      await checkReady();
      return { status: 'ready' };
    } catch (error) {
      request.log.error({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'unavailable' });
    }
  });
}
