import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { type Context, createContext, type Services } from '../domain/context.ts';
import { toCallerError } from '../domain/failure.ts';
import { type ToUrl, urlMaker } from './absolute-url.ts';
import { UnsupportedBodyError } from './body.ts';
import { disconnectSignal } from './disconnect.ts';
import { httpStatus, isRetryable, retryHeaders } from './status.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The dialect of the route. (Default: none, such as for health checks) */
    dialect?: string;
  }
}

/** Options that every dialect is registered with. */
export interface DialectOptions {
  services: Services;
  /** Base of absolute links; null: scheme and host of the request. */
  publicUrl: string | null;
}

/** A request as a handler sees it. Its body has not been read. */
export interface Call {
  ctx: Context;
  request: FastifyRequest;
  /** For handlers that send bytes themselves. */
  reply: FastifyReply;
  toUrl: ToUrl;
}

/** The result of a handler. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; null: no body. */
  body: object | null;
}

/** One or several methods of a path. `GET` alone includes a `HEAD` that Fastify derives from it. */
export interface Route {
  method: HTTPMethods | readonly HTTPMethods[];
  path: string;
}

/** Options of a dialect's routes. */
export interface RouteOptions<R extends Route> extends DialectOptions {
  /** (Default: none) */
  prefix?: string;
  /** Runs before the body arrives; may throw. */
  onRequest?: (request: FastifyRequest) => Promise<void>;
  serve: (route: R, call: Call) => Promise<FastifyReply>;
  /** Creates the error for a method that a path does not have. Its `Allow` header is already set. */
  refuseMethod: (method: string) => Error;
}

/** Registers the routes of a dialect, under its name: it is that of its requests in metrics and traces. */
export async function registerDialect<Options>(
  server: FastifyInstance,
  dialect: string,
  register: (server: FastifyInstance, options: Options) => Promise<void>,
  options: Options,
): Promise<void> {
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, dialect };
    });
    await register(scope, options);
  });
}

/** Registers a table of routes, and answers the other methods of its paths with 405. */
export function registerRoutes<R extends Route>(
  server: FastifyInstance,
  routes: readonly R[],
  { services, publicUrl, prefix = '', onRequest, serve, refuseMethod }: RouteOptions<R>,
): void {
  const hooks = onRequest === undefined ? [] : [onRequest];
  for (const route of routes) {
    server.route({
      method: methodsOf(route),
      url: prefix + route.path,
      onRequest: hooks,
      handler: (request, reply) => {
        const ctx = requestContext(services, request, reply);
        return serve(route, { ctx, request, reply, toUrl: urlMaker(publicUrl, request) });
      },
    });
  }
  for (const [path, group] of Map.groupBy(routes, ({ path }) => path)) {
    refuseOtherMethods(server, prefix + path, servedMethods(group), refuseMethod, onRequest);
  }
}

/** Returns the context of the operation that a request calls. */
export function requestContext(
  services: Services,
  { viewer, client, log }: FastifyRequest,
  reply: FastifyReply,
): Context {
  return createContext(services, { viewer, client, log, getSignal: disconnectSignal(reply) });
}

/** Returns a segment of the path, decoded; empty if the route has no such segment. */
export function pathParameter({ request }: Pick<Call, 'request'>, name: string): string {
  return (request.params as Record<string, string | undefined>)[name] ?? '';
}

/** Leaves the body of every request to its handler, whatever its content type. */
export function leaveBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _body, done) => done(null));
}

/**
 * Answers the methods that a path does not have with 405 and `Allow` (RFC 9110 §15.5.6). `Allow` lists `methods` in
 * their order, then `OPTIONS`, which the server answers before any route.
 */
export function refuseOtherMethods(
  server: FastifyInstance,
  url: string,
  methods: readonly HTTPMethods[],
  refuseMethod: RouteOptions<Route>['refuseMethod'],
  onRequest?: RouteOptions<Route>['onRequest'],
): void {
  const allowed = [...new Set<string>([...methods, 'OPTIONS'])];
  // Before the body: a refusal must not depend on it.
  const refuse = async ({ method }: FastifyRequest, reply: FastifyReply): Promise<never> => {
    reply.header('allow', allowed.join(', '));
    throw refuseMethod(method);
  };
  server.route({
    method: server.supportedMethods.filter((method) => !allowed.includes(method)),
    url,
    onRequest: onRequest === undefined ? [refuse] : [onRequest, refuse],
    handler: refuse,
  });
}

/** Answers every method of a path with an error, without asking for a credential. */
export function refuseAll(server: FastifyInstance, url: string, toError: () => Error): void {
  server.route({
    method: server.supportedMethods.filter((method) => method !== 'OPTIONS'),
    url,
    handler: () => {
      throw toError();
    },
  });
}

/** An error on the wire. */
export interface ErrorAnswer<Body extends object = object> {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body: Body;
}

/** Sends an error, logged with its stack if it is a bug of ours. */
export type SendError = (
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply;

/**
 * Returns an error handler; `toErrorAnswer` gives the dialect's status and body. Adds `Retry-After` where the error
 * says when to retry, and the headers of the limit that the request has met. A content type that Fastify cannot parse,
 * and rejects before any handler, becomes an UnsupportedBodyError.
 */
export function createSendError(
  contentType: string,
  toErrorAnswer: (error: unknown, request: FastifyRequest) => ErrorAnswer,
): SendError {
  return (error, request, reply) => {
    const cause = isUnparsableType(error)
      ? new UnsupportedBodyError(request.headers['content-type'] ?? '')
      : toCallerError(error);
    logFailure(request, cause);
    const { status, headers, body } = toErrorAnswer(cause, request);
    reply.code(status).headers({ ...retryHeaders(cause), ...headers });
    return sendJson(reply, contentType, body);
  };
}

/**
 * Logs a bug as an error with its stack. Logs a temporary failure as a warning if it has a cause, and not at all if the
 * server was only too busy.
 */
function logFailure(request: FastifyRequest, error: unknown): void {
  if (httpStatus(error) < 500) return;
  if (!isRetryable(error)) request.log.error({ err: error }, 'request failed');
  else if (error instanceof Error && error.cause !== undefined) {
    request.log.warn({ err: error }, 'request failed');
  }
}

/** Sends the result of a handler. */
export function sendAnswer(
  reply: FastifyReply,
  contentType: string,
  { status, headers = {}, body }: Answer,
): FastifyReply {
  reply.code(status).headers(headers);
  return body === null ? reply.send() : sendJson(reply, contentType, body);
}

/** Sends JSON as bytes, because Fastify adds a charset to the content type of text, and JSON:API's type allows none. */
function sendJson(reply: FastifyReply, contentType: string, body: object): FastifyReply {
  return reply.header('content-type', contentType).send(Buffer.from(JSON.stringify(body)));
}

function isUnparsableType(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
}

/** Returns the methods of a path, with the `HEAD` that comes with `GET`. */
function servedMethods(routes: readonly Route[]): HTTPMethods[] {
  const methods = routes.flatMap(methodsOf);
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods;
}

function methodsOf({ method }: Route): HTTPMethods[] {
  return [method].flat() as HTTPMethods[];
}
