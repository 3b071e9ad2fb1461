import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import cors from '@fastify/cors';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { DomainError, NotAuthenticatedError } from '../domain/error.ts';
import { isSessionToken } from '../domain/viewer/session.ts';
import { ANONYMOUS, type Viewer } from '../domain/viewer/viewer.ts';
import { type CalledAs, readCalledAs, toOriginForm } from './absolute-url.ts';
import { hasBody } from './body.ts';
import { type ClientOf, type HttpClient, trustOf } from './client.ts';
import { compressResponse } from './compression.ts';
import {
  type BoundOptions,
  boundConnections,
  closeUnusedConnections,
  createListener,
  refuseConnection,
} from './connection.ts';
import { SECURITY_HEADERS } from './content-policy.ts';
import { createSendError, type ErrorAnswer, type SendError } from './dialect.ts';
import { HttpError } from './http-error.ts';
import type { RateLimit, RateSender } from './rate-limit.ts';
import { type HealthOptions, isHealthCheck, registerHealth } from './readiness.ts';
import { BODY_PACE, type BodyPace, createBodyWatch } from './slow-body.ts';
import { httpStatus, publicMessage } from './status.ts';
import { createUpgrades, isUpgrade, type Upgrades } from './upgrade.ts';
import type { Authenticate, CredentialSource } from './viewer/auth.ts';
import { completeCacheHeaders } from './viewer/cache.ts';
import { clearedCookie, cookieCredential } from './viewer/cookie.ts';
import { loggedPath } from './viewer/logged-path.ts';
import { createOriginRules, type OriginOptions, type OriginRules } from './viewer/origin.ts';

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer;
    client: HttpClient;
    calledAs: CalledAs;
  }
  interface FastifyContextConfig {
    /** Makes a route ignore the credentials of its requests, even wrong ones. */
    ignoresCredentials?: boolean;
  }
  interface FastifyInstance {
    /** Sets the handler that sends the error of a malformed URL below these paths: Fastify finds no route for one. */
    setTargetErrorHandler(paths: readonly string[], handle: SendError): void;
    /** Throws NotAuthenticatedError if the credential of a request is no longer valid, or has other rights by now. */
    checkViewer(request: Pick<FastifyRequest, 'headers' | 'viewer'>): Promise<void>;
    /** Returns the viewer of a credential that has not arrived in the headers of its request. */
    authenticate(source: CredentialSource): Promise<Viewer>;
    /** Tells whether the cookie of a request counts: a page of this server or of a listed origin has sent it. */
    acceptsCookie(request: FastifyRequest): boolean;
    /** Counts a further operation of a request or a connection as a request. Throws TooManyRequestsError. */
    countOperation(sender: RateSender): Promise<void>;
    upgrades: Upgrades;
  }
}

/** Options that the composition root passes to the server. */
export interface ServerOptions extends HealthOptions {
  log: FastifyBaseLogger;
  authenticate: Authenticate;
  clientOf: ClientOf;
  rateLimit: RateLimit;
  connectionBound: BoundOptions;
  origins: OriginOptions;
  /** The limits on the arrival of bodies. (Default: `BODY_PACE`) */
  bodyPace: Partial<BodyPace> & Pick<BodyPace, 'bytesPerSecondMin'>;
  /** Adds the hooks that observe requests, before all others. */
  observeRequests: (server: FastifyInstance) => void;
}

/**
 * No route has a schema of Fastify: the domain checks its input. Without these, Fastify loads ajv and two other
 * compilers, 110 files.
 */
const NO_SCHEMAS: Pick<FastifyServerOptions, 'schemaController'> = {
  schemaController: { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } },
};

function refuse(): never {
  throw new Error('Routes have no schemas.');
}

/** Creates the server that the dialects are registered on: ids, log, CORS, credentials, errors, health. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const targetErrorHandlers: { paths: readonly string[]; handle: SendError }[] = [];
  const sendError = createSendError('application/json; charset=utf-8', toErrorAnswer);
  const origins = createOriginRules(options.origins);
  const admit = createAdmit(origins, options.connectionBound.trustedProxies);
  const upgrades = createUpgrades();
  const server = Fastify({
    ...NO_SCHEMAS,
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    serverFactory: (handle) => createListener(handle, upgrades.isWanted),
    rewriteUrl: toOriginForm,
    clientErrorHandler: refuseConnection,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1000 },
    // Fastify finds a malformed path before any hook runs.
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply);
      completeCacheHeaders(reply);
      const isBelow = (path: string) => request.url.startsWith(path);
      const own = targetErrorHandlers.find(({ paths }) => paths.some(isBelow));
      const cause = admit(request) ?? error;
      (own?.handle ?? sendError)(cause, request, reply as FastifyReply);
    },
  });
  server.decorate('setTargetErrorHandler', (paths, handle) => {
    targetErrorHandlers.push({ paths, handle });
  });
  decorate(server, options, { origins, upgrades });
  server.decorateRequest('viewer');
  server.decorateRequest('client');
  server.decorateRequest('calledAs');
  options.observeRequests(server);
  admitRequests(server, options, admit);
  // Before the credentials, which a preflight request does not carry.
  await server.register(cors, origins.cors);
  server.addHook('onRequest', async (request, reply) => {
    await options.rateLimit.countAddress(request);
    request.viewer = await viewerOf(request, options.authenticate).catch((error: unknown) => {
      if (error instanceof NotAuthenticatedError) dropCookie(request, reply);
      throw error;
    });
    await options.rateLimit.countViewer(request, reply);
  });
  server.addHook('onSend', completeHeaders);
  server.addHook('onSend', compressResponse);
  server.addHook('onResponse', logResponse);
  server.setErrorHandler(sendError);
  server.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ error: { code: 'NOT_FOUND', message: 'There is nothing at this path.' } }),
  );
  registerHealth(server, options);
  closeUnusedConnections(server);
  boundConnections(server.server, options.connectionBound);
  return server;
}

/** Adds what transports need whose operations are not all requests. */
function decorate(
  server: FastifyInstance,
  { authenticate, rateLimit }: ServerOptions,
  { origins, upgrades }: { origins: OriginRules; upgrades: Upgrades },
): void {
  server.decorate('checkViewer', createCheckViewer(authenticate));
  server.decorate('authenticate', authenticate);
  server.decorate('acceptsCookie', origins.acceptsCookie);
  server.decorate('countOperation', rateLimit.countOperation);
  server.decorate('upgrades', upgrades);
  upgrades.connect(server);
}

function admitRequests(
  server: FastifyInstance,
  { bodyPace, clientOf }: ServerOptions,
  admit: ReturnType<typeof createAdmit>,
): void {
  const bodies = createBodyWatch({ ...BODY_PACE, ...bodyPace });
  server.addHook('onClose', async () => bodies.stop());
  server.addHook('onRequest', (request, reply, done) => {
    request.viewer = ANONYMOUS;
    request.client = clientOf(request.raw);
    setCommonHeaders(request, reply);
    if (hasBody(request.headers)) bodies.add(request.raw);
    done(admit(request) ?? encodingError(request, reply));
  });
}

/**
 * Creates the function that notes by which name a client calls, and returns the error for a request whose host is
 * not valid, or that a foreign page may have sent against the will of its user.
 */
function createAdmit(origins: OriginRules, trustedProxies: readonly string[]) {
  const isTrusted = trustOf(trustedProxies);
  return (request: FastifyRequest): HttpError | undefined => {
    try {
      request.calledAs = readCalledAs(request.raw, isTrusted);
    } catch (error) {
      return error as HttpError;
    }
    return origins.refusal(request);
  };
}

function createCheckViewer(authenticate: Authenticate): FastifyInstance['checkViewer'] {
  return async (request) => {
    const viewer = await authenticate(request);
    if (!isDeepStrictEqual(viewer, request.viewer)) throw new NotAuthenticatedError('changed');
  };
}

/** Maximum wait for the credential of a health check, which needs none. */
const HEALTH_CREDENTIAL_MS = 200;

/** Returns the viewer of a request. A health check does not wait for a database that does not respond. */
async function viewerOf(request: FastifyRequest, authenticate: Authenticate): Promise<Viewer> {
  if (request.routeOptions.config?.ignoresCredentials) return ANONYMOUS;
  // The client may send another credential than its browser does: later, over the connection.
  if (isUpgrade(request.raw)) return ANONYMOUS;
  if (!isHealthCheck(request)) return authenticate(request);
  const known = authenticate(request).catch((error: unknown) => {
    if (error instanceof NotAuthenticatedError) throw error;
    return ANONYMOUS;
  });
  return Promise.race([known, sleep(HEALTH_CREDENTIAL_MS, ANONYMOUS, { ref: false })]);
}

/**
 * Makes the browser delete the cookie of a session that has ended. It would send the cookie with each request, also with
 * a login, which would be refused, and no script can delete it. Another service of this host may need its own cookie.
 */
function dropCookie({ headers }: FastifyRequest, reply: FastifyReply): void {
  if (!isSessionToken(cookieCredential(headers) ?? '')) return;
  reply.header('set-cookie', clearedCookie({ isSecure: false }));
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
}

/**
 * Returns the error for a compressed body, whose bytes would be stored as they are. RFC 9110 §15.5.16: the answer says
 * which encodings are accepted.
 */
function encodingError({ headers }: FastifyRequest, reply: FastifyReply): HttpError | undefined {
  const encoding = headers['content-encoding'] ?? '';
  if (/^\s*(identity)?\s*$/i.test(encoding) || !hasBody(headers)) return undefined;
  reply.header('accept-encoding', 'identity');
  const message = `Expected a body without Content-Encoding, not ${encoding}.`;
  return new HttpError(415, 'UNSUPPORTED_ENCODING', message);
}

// RFC 9110 §15.5.2: a 401 names a way to authenticate. `Basic` would make browsers ask for a password. §15.5.9: the
// connection cannot be used after a 408.
function completeHeaders(
  _request: FastifyRequest,
  reply: FastifyReply,
  _payload: unknown,
  done: () => void,
): void {
  completeCacheHeaders(reply);
  if (reply.statusCode === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header('www-authenticate', 'Bearer');
  }
  if (reply.statusCode === 408) reply.header('connection', 'close');
  done();
}

function toErrorAnswer(error: unknown): ErrorAnswer {
  const status = httpStatus(error);
  const hasCode = error instanceof DomainError || error instanceof HttpError;
  const code = hasCode ? error.code : status < 500 ? 'BAD_REQUEST' : 'INTERNAL';
  return { status, body: { error: { code, message: publicMessage(error) } } };
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}

function logResponse(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { method, url } = request;
  const fields = {
    method,
    path: loggedPath(url),
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    viewer: request.viewer.id ?? undefined,
  };
  request.log.info(fields, 'request');
  done();
}
