import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createGraphQLError, createYoga, type GraphQLParams, type Plugin } from 'graphql-yoga';
import { DomainError } from '../../domain/error.ts';
import { urlMaker } from '../../http/absolute-url.ts';
import { type DialectOptions, logFailure, requestContext } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus, publicMessage } from '../../http/status.ts';
import { GRAPHIQL_OPTIONS, GRAPHIQL_POLICY, renderPage } from '../graphiql.ts';
import { schema } from '../schema.ts';
import { createDocumentCache, NO_CACHE } from './document-cache.ts';
import { createStreamSignals, isStream, toStream } from './event-stream.ts';
import { createMeasureCost, limitOperations } from './limit.ts';
import { maskError } from './mask.ts';
import { readMultipart } from './multipart.ts';
import { type OperationContext, ownExecution } from './run.ts';
import { createShortcut } from './shortcut.ts';
import { freshSubscriptions } from './subscribe.ts';
import { refuseUnreadable } from './unreadable.ts';

/** Options of the transport. */
export interface GraphqlOptions extends DialectOptions {
  isGraphiqlEnabled: boolean;
}

/** What Yoga is handed with each request. */
interface ServerContext extends OperationContext {
  request: FastifyRequest;
  reply: FastifyReply;
}

const FILES_MAX = 10;
const FIELD_BYTES_MAX = 1_000_000;

/**
 * GraphQL over HTTP at `/graphql`: POST, GET queries, multipart uploads, subscriptions as server-sent events
 * (graphql-sse, distinct connections mode); GraphiQL for browsers.
 */
export async function registerGraphql(
  server: FastifyInstance,
  { services, publicUrl, isGraphiqlEnabled }: GraphqlOptions,
): Promise<void> {
  const { yoga, shortcut } = createAnswerers(server, isGraphiqlEnabled);
  server.setErrorHandler((error, request, reply) => {
    logFailure(request, error);
    return reply.code(httpStatus(error)).send(toErrorBody(error));
  });
  server.addContentTypeParser('multipart/form-data', (_request, _body, done) => done(null));
  const streamSignal = createStreamSignals(server);
  server.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    handler: async (request, reply) => {
      const context = {
        request,
        reply,
        requestId: request.id,
        domain: requestContext(services, request),
        toUrl: urlMaker(publicUrl, request),
        signal: streamSignal(reply),
        made: new Map(),
      };
      const answer = await shortcut.answer(request, context);
      if (answer !== null) {
        return reply.header('content-type', answer.contentType).send(answer.body);
      }
      const response = await yoga.handleNodeRequestAndResponse(request, reply, context);
      // A file that no resolver asked for would hold up the request, and a client that reads no answer before its end.
      request.raw.unpipe().resume();
      return sendResponse(reply, response, context.signal);
    },
  });
  refuseOtherMethods(server);
}

/** RFC 9110 §15.5.6: what would do is said. A request with OPTIONS is answered before it comes here. */
function refuseOtherMethods(server: FastifyInstance): void {
  // HEAD goes with GET, and Yoga refuses it.
  const taken = ['GET', 'HEAD', 'POST', 'OPTIONS'];
  server.route({
    url: '/graphql',
    method: server.supportedMethods.filter((method) => !taken.includes(method)),
    handler: async ({ method }, reply) => {
      reply.header('allow', 'GET, POST, OPTIONS');
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', `GraphQL is not asked with ${method}.`);
    },
  });
}

/** What answers requests: the shortcut what it can, and Yoga the rest. */
function createAnswerers(server: FastifyInstance, isGraphiqlEnabled: boolean) {
  const documents = createDocumentCache();
  const measureCost = createMeasureCost();
  const shortcut = createShortcut({ documents, measureCost });
  const yoga = createYoga<ServerContext>({
    schema,
    graphqlEndpoint: '/graphql',
    // Fastify has done these: logs, CORS, the limit of a JSON body.
    logging: false,
    cors: false,
    maxRequestBodySize: false,
    landingPage: false,
    // Yoga's own parser holds whole files in memory.
    multipart: false,
    parserAndValidationCache: { documentCache: documents, errorCache: NO_CACHE },
    plugins: [
      refuseUnreadable(),
      streamedMultipart(),
      limitOperations({ measureCost, isIntrospectionEnabled: isGraphiqlEnabled }),
      ownExecution(),
      shortcut.noteDocuments,
      freshSubscriptions(),
    ],
    // For what fails before there is a context.
    maskedErrors: { maskError: (error) => maskError(error, server.log, '') },
    graphiql: isGraphiqlEnabled ? GRAPHIQL_OPTIONS : false,
    renderGraphiQL: renderPage,
  });
  return { yoga, shortcut };
}

/** Takes uploads from the request as they arrive. Its own header is what no other site's form can send. */
function streamedMultipart(): Plugin<object, ServerContext> {
  return {
    onRequestParse({ serverContext: { request, reply }, setRequestParser }) {
      if (!request.headers['content-type']?.startsWith('multipart/form-data')) return;
      const { 'x-graphql-yoga-csrf': csrf, 'apollo-require-preflight': preflight } =
        request.headers;
      if (csrf === undefined && preflight === undefined) {
        const message =
          'A multipart request needs a header `x-graphql-yoga-csrf` or `apollo-require-preflight`, of any value.';
        throw createGraphQLError(message, { extensions: { code: 'CSRF', http: { status: 403 } } });
      }
      // No limit of the file here: the parser would cut it off, and what is left would pass for whole.
      const limits = { maxFiles: FILES_MAX, maxFieldSize: FIELD_BYTES_MAX };
      setRequestParser(async () => {
        const operations = await readMultipart(request.raw, reply.raw, limits);
        return operations as GraphQLParams | GraphQLParams[];
      });
    },
  };
}

/** The answer through Fastify, which adds the headers and the log line that every answer has. */
async function sendResponse(
  reply: FastifyReply,
  response: Response,
  signal: () => AbortSignal,
): Promise<FastifyReply> {
  reply.code(response.status);
  response.headers.forEach((value, name) => void reply.header(name, value));
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    reply.header('content-security-policy', GRAPHIQL_POLICY);
  }
  if (isStream(response)) {
    // Yoga's `none` is no coding that there is; nginx would hold events back until it has a page of them.
    reply.removeHeader('content-encoding').header('x-accel-buffering', 'no');
    return reply.send(toStream(response, signal()));
  }
  return reply.send(await response.text());
}

function toErrorBody(error: unknown) {
  const hasCode = error instanceof DomainError || error instanceof HttpError;
  const code = hasCode ? error.code : 'BAD_REQUEST';
  return { errors: [{ message: publicMessage(error), extensions: { code } }] };
}
