import type { FastifyReply, FastifyRequest } from 'fastify';
import { requestContext } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { isRetryable } from '../../http/status.ts';
import { type AcceptedTypes, sendResult } from '../pipeline/answer.ts';
import type { Closable } from '../pipeline/events.ts';
import { readParameters } from '../pipeline/parameters.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { isRefused, isResults, type Result } from '../pipeline/run.ts';
import { type ChannelParts, runOnChannel } from './operation.ts';
import type { RunningOperation } from './operations.ts';
import { createReservations, type Reservation } from './reservation.ts';

/** Time that an operation waits while the client does not read the results of others. */
const PATIENCE_MS = 30_000;

/** What the handler needs beside the parts of all channels. */
export interface SingleConnectionOptions extends ChannelParts {
  encode: Pipeline['encode'];
  streamSignal: (stream: Closable) => () => AbortSignal;
}

const NO_WAY_BACK =
  'This server has several processes, and each request may reach another one: subscribe over one connection for each ' +
  'operation (graphql-sse without singleConnection), or over WebSocket.';

/** Handles the requests of the single connection mode of graphql-sse. */
export interface SingleConnection {
  /** Tells whether a request is one of this mode. */
  isMeant(request: FastifyRequest): boolean;
  handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
}

/**
 * Creates the handler of the single connection mode (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md):
 * `PUT` reserves a stream of events, `GET` opens it, other requests with its token run operations on it, and `DELETE`
 * stops one. The credential of each request is checked; a token belongs to one viewer.
 */
export function createSingleConnection(options: SingleConnectionOptions): SingleConnection {
  const { server, services, takeConnectionSlot } = options;
  const reservations = createReservations((error) => {
    if (!isRetryable(error)) server.log.error({ err: error }, 'an event stream failed');
  });
  const find = (request: FastifyRequest): Reservation => {
    const found = reservations.find(tokenOf(request) ?? '', request.viewer);
    if (found !== null) return found;
    throw new HttpError(404, 'NOT_FOUND', 'There is no event stream with this token.');
  };
  return {
    isMeant: (request) =>
      request.method === 'PUT' || request.method === 'DELETE' || tokenOf(request) !== null,
    async handle(request, reply) {
      switch (request.method) {
        case 'PUT': {
          if (services.settings.hasWorkers)
            throw new HttpError(501, 'NOT_IMPLEMENTED', NO_WAY_BACK);
          const release = takeConnectionSlot(requestContext(services, request, reply));
          const token = reservations.reserve(request.viewer, release);
          return reply.code(201).type('text/plain; charset=utf-8').send(token);
        }
        case 'DELETE': {
          find(request).operations.stop(operationToStop(request));
          return reply.send();
        }
        default:
          return isForStream(request)
            ? openStream(options, find(request), reply)
            : runOperation(options, find(request), reply);
      }
    },
  };
}

function openStream(
  { server, streamSignal, watchViewer }: SingleConnectionOptions,
  reservation: Reservation,
  reply: FastifyReply,
): FastifyReply {
  if (reservation.isOpen) {
    throw new HttpError(409, 'ALREADY_EXISTS', 'The event stream with this token is open already.');
  }
  const { request } = reply;
  const { end, ended } = reservation;
  streamSignal(reply.raw)().addEventListener('abort', end);
  const check = () => server.checkViewer(request);
  ended.addEventListener('abort', watchViewer({ check, onInvalid: end }));
  return reply
    .type('text/event-stream; charset=utf-8')
    .headers({ 'cache-control': 'no-cache', 'x-accel-buffering': 'no' })
    .send(reservation.open());
}

/** Runs an operation, and sends its results on the stream. */
async function runOperation(
  options: SingleConnectionOptions,
  reservation: Reservation,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { parameters, discardFiles } = await readParameters(reply.request);
  try {
    const id = operationIdOf(parameters);
    // The stream need not be open yet: a client may wait for this answer before it opens the stream.
    return await runInTurn(options, reservation, { reply, id, parameters });
  } finally {
    discardFiles();
  }
}

/** Refuses an operation that cannot be executed as any other request does. */
async function runInTurn(
  options: SingleConnectionOptions,
  reservation: Reservation,
  { reply, id, parameters }: { reply: FastifyReply; id: string; parameters: unknown },
): Promise<FastifyReply> {
  const { operations, turns } = reservation;
  const endTurn = await turns.take({ patienceMs: PATIENCE_MS });
  let sent = Promise.resolve();
  try {
    const operation = begin(reservation, id);
    const result = await run(options, { request: reply.request, operation, parameters });
    if (isRefused(result)) {
      operation.end();
      const { signal } = operation;
      return sendResult(reply, result, { ...options, accepted: JSON_ONLY, signal: () => signal });
    }
    const delivered = operations.deliver(operation, result);
    if (!isResults(result)) sent = delivered;
    return reply.code(202).send();
  } finally {
    sent.then(endTurn);
  }
}

function begin({ operations, ended }: Reservation, id: string): RunningOperation {
  if (ended.aborted) throw new HttpError(404, 'NOT_FOUND', 'The event stream has ended.');
  if (!operations.has(id)) return operations.begin(id);
  throw new HttpError(409, 'ALREADY_EXISTS', 'An operation with this id is running already.');
}

function run(
  options: SingleConnectionOptions,
  sent: { request: FastifyRequest; operation: RunningOperation; parameters: unknown },
): Promise<Result> {
  const { request, parameters: body } = sent;
  return runOnChannel(options, {
    sender: request,
    method: request.method === 'GET' ? 'GET' : 'POST',
    body,
    signal: sent.operation.signal,
    checkViewer: () => options.server.checkViewer(request),
    isWatched: false,
  });
}

const JSON_ONLY: AcceptedTypes = { result: 'application/json', stream: null };

/** A request without an operation opens the stream. A browser's EventSource can send no token but in the URL. */
function isForStream({ method, headers, url }: FastifyRequest): boolean {
  if (method !== 'GET') return false;
  const isOperation = /[?&](query|extensions)=/.test(url);
  return !isOperation && (headers.accept ?? '*/*').includes('text/event-stream');
}

function tokenOf({ headers, url }: FastifyRequest): string | null {
  const token = headers['x-graphql-event-stream-token'];
  if (typeof token === 'string' && token !== '') return token;
  return url.includes('token=') ? parameterOf(url, 'token') : null;
}

function parameterOf(url: string, name: string): string | null {
  return new URLSearchParams(/\?(.*)$/s.exec(url)?.[1]).get(name) || null;
}

function operationToStop({ url }: FastifyRequest): string {
  const id = parameterOf(url, 'operationId');
  if (id !== null) return id;
  throw badRequest('The parameter `operationId` must name an operation.');
}

function operationIdOf(parameters: unknown): string {
  const { extensions } = (parameters ?? {}) as { extensions?: { operationId?: unknown } };
  const id = extensions?.operationId;
  if (typeof id === 'string' && id !== '') return id;
  throw badRequest('`extensions.operationId` must identify the operation on the event stream.');
}

function badRequest(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
