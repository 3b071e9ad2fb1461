import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUpgrade } from '../http/upgrade.ts';
import type { Stopwatch } from '../lib/stopwatch.ts';
import type { Metrics } from './metrics.ts';
import { parseTraceparent } from './traceparent.ts';
import type { RequestSpan, Tracing } from './tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Time from the arrival of the request to the begin of its response, in milliseconds; null: not yet. */
    answeredMs: number | null;
    /** Null: there are no traces. */
    span: RequestSpan | null;
  }
}

/**
 * Counts and measures the requests of a server, and the time in which at least one is being served. Call it before other
 * hooks are added, so that refused ones count, too.
 */
export function measureRequests(
  server: FastifyInstance,
  metrics: Metrics,
  serving: Pick<Stopwatch, 'begin' | 'end'>,
): void {
  server.decorateRequest('answeredMs', null);
  server.decorateRequest('span', null);
  server.addHook('onRequest', (request, reply, done) => {
    const { raw } = reply;
    const wasUpgrade = isUpgrade(request.raw);
    metrics.open.requests++;
    serving.begin();
    // One listener for all: Node warns of more than ten, and the operations of a batch have their own.
    raw.once('close', () => {
      metrics.open.requests--;
      serving.end();
      request.span?.end(raw.headersSent ? raw.statusCode : null);
      const dialect = dialectOf(request);
      const otherwise = wasUpgrade ? '101' : 'aborted';
      const status = raw.headersSent ? String(raw.statusCode) : otherwise;
      metrics.requests.add(1, dialect, methodOf(request), status);
      if (request.answeredMs === null) return;
      metrics.requestDuration.observe(request.answeredMs / 1000, dialect);
    });
    done();
  });
  server.addHook('onSend', (request, reply, _payload, done) => {
    request.answeredMs = reply.elapsedTime;
    done();
  });
}

/**
 * Records a span of each request. The hooks run the rest of the request within the span, again after the body: events of a
 * body belong to the connection.
 */
export function traceRequests(server: FastifyInstance, { beginRequest }: Tracing): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const url = request.routeOptions.url?.replace(PATTERNS, '');
    const attributes = {
      'http.request.method': request.method,
      'http.route': url ?? '',
      'trivium.dialect': dialectOf(request),
      'trivium.request_id': request.id,
    };
    const parent = parseTraceparent(request.headers.traceparent);
    const span = beginRequest(`${request.method} ${url ?? ''}`.trim(), attributes, parent);
    request.span = span;
    span.run(done);
  });
  server.addHook('preHandler', (request, _reply, done) => runWithin(request, done));
  server.addHook('onResponse', (request, _reply, done) => runWithin(request, done));
}

/** Adds the id of the trace that a caller has sent to the log of its request. */
export function logTraceIds(server: FastifyInstance): void {
  server.setChildLoggerFactory((logger, bindings, options, { headers }) => {
    const parent = parseTraceparent(headers.traceparent);
    const fields = parent === null ? bindings : { ...bindings, traceId: parent.traceId };
    return logger.child(fields, options);
  });
}

/** The patterns of the parameters in a route: `/:dir(^[a-z0-5]{8}$)/`. */
const PATTERNS = /\([^/]*\)(?=\/|$)/g;

function runWithin({ span }: FastifyRequest, done: () => void): void {
  if (span === null) done();
  else span.run(done);
}

function dialectOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.config?.dialect ?? 'root';
}

/** Methods that are counted by their name: a client may send any text. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function methodOf({ method }: FastifyRequest): string {
  return METHODS.has(method) ? method : 'other';
}
