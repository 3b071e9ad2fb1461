import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { DomainError, TooManyRequestsError } from '../../domain/error.ts';
import { urlMaker } from '../../http/absolute-url.ts';
import { preferredType } from '../../http/accept.ts';
import { bodyType } from '../../http/body.ts';
import {
  createSendError,
  type DialectOptions,
  type ErrorAnswer,
  refuseOtherMethods,
  requestContext,
} from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { expectSmallBody } from '../../http/slow-body.ts';
import { httpStatus, publicMessage, retryHeaders } from '../../http/status.ts';
import { vary } from '../../http/viewer/cache.ts';
import { checkJsonShape } from '../../lib/json.ts';
import { GRAPHIQL_OPTIONS, renderPage } from '../graphiql.ts';
import { negotiate, sendResult } from './answer.ts';
import { createStreamSignals } from './events.ts';
import { maskError, type OperationContext } from './mask.ts';
import { readParameters } from './parameters.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import type { Result } from './run.ts';
import { createViewerWatch } from './stream-credential.ts';
import { createStreamSlots } from './stream-slot.ts';

/** Options of GraphQL over HTTP. */
export interface GraphqlOptions extends DialectOptions {
  isGraphiqlEnabled: boolean;
  /** Interval between two checks of the credentials of idle streams. (Default: 3 seconds) */
  viewerCheckMs?: number | undefined;
}

/**
 * Registers GraphQL over HTTP at `/graphql`: POST, GET queries, multipart uploads, subscriptions as server-sent events
 * (graphql-sse, distinct connections mode); GraphiQL for browsers.
 */
export async function registerGraphql(
  server: FastifyInstance,
  { services, publicUrl, isGraphiqlEnabled, viewerCheckMs }: GraphqlOptions,
): Promise<void> {
  const { run, encode } = createPipeline({ isIntrospectionPublic: isGraphiqlEnabled });
  const streamSignal = createStreamSignals(server, services.events);
  const takeStreamSlot = createStreamSlots(services.settings);
  const watchViewer = createViewerWatch(server, viewerCheckMs);
  server.setErrorHandler(createSendError('application/json; charset=utf-8', toErrorAnswer));
  // Fastify keeps a JSON body in memory, so it is small. The body of a multipart request is read while the operation
  // runs.
  server.addHook('preParsing', ({ raw, headers }, _reply, _payload, done) => {
    if (bodyType(headers) === 'application/json') expectSmallBody(raw);
    done();
  });
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      try {
        checkJsonShape(body);
      } catch (error) {
        return void done(new HttpError(400, 'BAD_REQUEST', `${(error as Error).message}.`));
      }
      parseJson(request, body, done);
    },
  );
  server.addContentTypeParser('multipart/form-data', (_request, _body, done) => done(null));
  server.route({
    url: '/graphql',
    method: METHODS,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      vary(reply, 'Accept');
      if (isGraphiqlEnabled && isPageRequest(request)) return sendPage(reply);
      const accepted = negotiate(request.headers.accept);
      const signal = streamSignal(reply);
      const domain = requestContext(services, request, reply);
      const checkViewer = () => server.checkViewer(request);
      const result = await runRequest(run, request, {
        requestId: request.id,
        domain,
        takeStreamSlot: () => void reply.raw.once('close', takeStreamSlot(domain)),
        toUrl: urlMaker(publicUrl, request),
        // The error is data, with status 200; the limit that was reached is described as in any other dialect.
        onRefused: (error) => void reply.headers(retryHeaders(error)),
        setHeader: (name, value) => void reply.header(name, value),
        checkViewer,
        watchViewer: (onInvalid) => watchViewer({ check: checkViewer, onInvalid }),
        signal,
        made: new Map(),
      });
      return sendResult(reply, result, { encode, accepted, signal });
    },
  });
  refuseOtherMethods(server, '/graphql', METHODS, methodNotAllowed);
}

/** The methods of GraphQL over HTTP: `HEAD` is refused. */
const METHODS: HTTPMethods[] = ['GET', 'POST'];

function methodNotAllowed(method: string): HttpError {
  return new HttpError(405, 'METHOD_NOT_ALLOWED', `GraphQL does not support ${method}.`);
}

/**
 * Runs the operation of a request. Returns an error that prevents execution as a result, so that it is sent in the
 * media type that the client accepts. Throws TooManyRequestsError: a refused subscription must not look like a stream.
 */
async function runRequest(
  run: Pipeline['run'],
  request: FastifyRequest,
  context: OperationContext,
): Promise<Result> {
  try {
    const { parameters, discardFiles } = await readParameters(request);
    try {
      return await run(request.method === 'GET' ? 'GET' : 'POST', parameters, context);
    } finally {
      // A client that reads the response only after it has sent its whole request would wait for ever.
      discardFiles();
    }
  } catch (error) {
    if (error instanceof TooManyRequestsError) throw error;
    return { errors: [maskError(error, context.domain.log, context.requestId)] };
  }
}

/** The page is sent only to a client that prefers it to a result. */
const TYPES = [
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'text/html',
] as const;

function isPageRequest({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && preferredType(headers.accept, TYPES) === 'text/html';
}

async function sendPage(reply: FastifyReply): Promise<FastifyReply> {
  const { html, policy } = await renderPage(GRAPHIQL_OPTIONS);
  return reply.type('text/html').header('content-security-policy', policy).send(html);
}

function toErrorAnswer(error: unknown): ErrorAnswer {
  const hasCode = error instanceof DomainError || error instanceof HttpError;
  const code = hasCode ? error.code : 'BAD_REQUEST';
  const body = { errors: [{ message: publicMessage(error), extensions: { code } }] };
  return { status: httpStatus(error), body };
}
