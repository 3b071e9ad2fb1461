import type { FastifyInstance, FastifyReply, HTTPMethods } from 'fastify';
import { DomainError, TooManyRequestsError } from '../../domain/error.ts';
import { urlMaker } from '../../http/absolute-url.ts';
import {
  createSendError,
  type DialectOptions,
  type ErrorAnswer,
  refuseOtherMethods,
  requestContext,
} from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus, publicMessage, retryHeaders } from '../../http/status.ts';
import { isUpgrade, takeUpgrade } from '../../http/upgrade.ts';
import { vary } from '../../http/viewer/cache.ts';
import type { ChannelParts } from '../channel/operation.ts';
import { createSingleConnection } from '../channel/single-connection.ts';
import type { Manifest } from '../persisted/manifest.ts';
import { negotiate, type SendOptions, sendBatch, sendResult } from './answer.ts';
import { runBatch } from './batch.ts';
import { createStreamSignals } from './events.ts';
import { registerGraphiqlFiles, sendPageIfAsked } from './graphiql-page.ts';
import { readJsonBodies } from './json-body.ts';
import { maskError, type OperationContext } from './mask.ts';
import { readParameters } from './parameters.ts';
import { createPipeline } from './pipeline.ts';
import type { SingleResult } from './run.ts';
import { createViewerWatch } from './stream-credential.ts';
import { createStreamSlots } from './stream-slot.ts';

/** Options of GraphQL over HTTP. */
export interface GraphqlOptions extends DialectOptions {
  isGraphiqlEnabled: boolean;
  /** The documents that the server runs; null: any. */
  manifest: Manifest | null;
  /** Interval between two checks of the credentials of idle streams. (Default: 3 seconds) */
  viewerCheckMs?: number | undefined;
}

/** The path of GraphQL. */
const PATH = '/graphql';

/**
 * Registers GraphQL over HTTP at `/graphql`: POST, GET queries, batches, persisted documents, multipart uploads;
 * subscriptions as server-sent events (graphql-sse, both modes), as multipart responses (Apollo) and over WebSocket
 * (graphql-ws); GraphiQL for browsers.
 */
export async function registerGraphql(
  server: FastifyInstance,
  { services, publicUrl, isGraphiqlEnabled, manifest, viewerCheckMs }: GraphqlOptions,
): Promise<void> {
  const { run, encode } = createPipeline({ isIntrospectionPublic: isGraphiqlEnabled, manifest });
  const streamSignal = createStreamSignals(server, services.events);
  const parts: ChannelParts = {
    ...{ server, services, publicUrl, run },
    takeStreamSlot: createStreamSlots(services, 'subscriptions'),
    takeConnectionSlot: createStreamSlots(services, 'stream connections'),
    watchViewer: createViewerWatch(server, viewerCheckMs),
  };
  const singleConnection = createSingleConnection({ ...parts, encode, streamSignal });
  server.setErrorHandler(createSendError('application/json; charset=utf-8', toErrorAnswer));
  readJsonBodies(server);
  server.upgrades.accept(PATH);
  server.route({
    url: PATH,
    method: METHODS,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      if (isUpgrade(request.raw)) return openSocket(parts, reply, streamSignal);
      vary(reply, 'Accept');
      const page = sendPageIfAsked(request, reply, isGraphiqlEnabled);
      if (page !== null) return page;
      if (singleConnection.isMeant(request)) return singleConnection.handle(request, reply);
      const accepted = negotiate(request.headers.accept);
      const signal = streamSignal(reply.raw);
      const context = createContextOf(parts, reply, signal);
      const options = { encode, accepted, signal };
      return answerRequest(parts, reply, { context, ...options });
    },
  });
  refuseOtherMethods(server, PATH, METHODS, methodNotAllowed);
  if (isGraphiqlEnabled) registerGraphiqlFiles(server);
}

/** The methods of GraphQL over HTTP, and of graphql-sse: `HEAD` is refused. */
const METHODS: HTTPMethods[] = ['GET', 'POST', 'PUT', 'DELETE'];

function methodNotAllowed(method: string): HttpError {
  return new HttpError(405, 'METHOD_NOT_ALLOWED', `GraphQL does not support ${method}.`);
}

/** Serves GraphQL over WebSocket. The packages for it are loaded for the first one. */
async function openSocket(
  parts: ChannelParts,
  reply: FastifyReply,
  streamSignal: ReturnType<typeof createStreamSignals>,
): Promise<FastifyReply> {
  const { serveSocket } = await import('../socket/serve.ts');
  const { request } = reply;
  reply.hijack();
  const upgrade = takeUpgrade(request.raw);
  if (upgrade !== null) {
    serveSocket(parts, { request, upgrade, ended: streamSignal(upgrade.socket)() });
  }
  return reply;
}

/** Returns the function that creates the context of each operation of a request. */
function createContextOf(
  { server, services, publicUrl, takeStreamSlot, watchViewer }: ChannelParts,
  reply: FastifyReply,
  signal: () => AbortSignal,
): () => OperationContext {
  const { request } = reply;
  const checkViewer = () => server.checkViewer(request);
  return () => {
    const domain = requestContext(services, request, reply);
    return {
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
    };
  };
}

/**
 * Answers a request with the result of its operation, or with those of its batch. An error that prevents execution is a
 * result, so that it is sent in the media type that the client accepts. Throws TooManyRequestsError: a refused
 * subscription must not look like a stream.
 */
async function answerRequest(
  { server, run }: ChannelParts,
  reply: FastifyReply,
  { context, ...options }: SendOptions & { context: () => OperationContext },
): Promise<FastifyReply> {
  const { request } = reply;
  const toResult = (error: unknown): SingleResult => {
    if (error instanceof TooManyRequestsError) throw error;
    return { errors: [maskError(error, request.log, request.id)] };
  };
  const runOne = (parameters: unknown, rules: Partial<OperationContext> = {}) =>
    run(request.method === 'GET' ? 'GET' : 'POST', parameters, { ...context(), ...rules });
  try {
    const { parameters, discardFiles } = await readParameters(request);
    if (Array.isArray(parameters)) {
      const count = () => server.countOperation(request);
      const results = await runBatch(parameters, { runOne, toResult, count });
      return sendBatch(reply, results, options);
    }
    // A client that reads the response only after it has sent its whole request would wait for ever.
    const result = await runOne(parameters).finally(discardFiles);
    return sendResult(reply, result, options);
  } catch (error) {
    return sendResult(reply, toResult(error), options);
  }
}

function toErrorAnswer(error: unknown): ErrorAnswer {
  const hasCode = error instanceof DomainError || error instanceof HttpError;
  const code = hasCode ? error.code : 'BAD_REQUEST';
  const body = { errors: [{ message: publicMessage(error), extensions: { code } }] };
  return { status: httpStatus(error), body };
}
