import type { FastifyReply } from 'fastify';
import { HttpError } from '../../http/http-error.ts';
import { isCacheable, sendCacheable } from './cacheable.ts';
import { toStream } from './events.ts';
import { isJson } from './execute.ts';
import { MULTIPART_TYPE, toMultipart } from './multipart-mixed.ts';
import type { Pipeline } from './pipeline.ts';
import { isResults, type Result, type SingleResult } from './run.ts';
import { resultToJson } from './wire.ts';
import type { AnswerType } from './yoga.ts';

/** The media types that a client accepts, for a single result and for the results of a subscription. */
export interface AcceptedTypes {
  result: AnswerType | StreamType;
  /** Null if the client accepts no stream. */
  stream: StreamType | null;
}

/** The media types of the results of a subscription. */
type StreamType = 'text/event-stream' | 'multipart/mixed';

/**
 * Chooses the media types of a response from an `Accept` header. A single result is sent as a stream only if the client
 * accepts nothing else. The first type of either kind in the header wins, whatever its `q`. Throws HttpError (406).
 */
export function negotiate(accept: string | undefined): AcceptedTypes {
  const ranges = (accept || '*/*').toLowerCase().split(',').filter(isUtf8);
  const json = first(ranges, (range) => RESULT_TYPES.get(mediaRange(range)) ?? null);
  const stream = first(ranges, streamType);
  const result = json ?? stream;
  if (result !== null) return { result, stream };
  throw new HttpError(406, 'NOT_ACCEPTABLE', `The response can be sent as ${TYPES}.`);
}

function first<T>(ranges: readonly string[], choose: (range: string) => T | null): T | null {
  for (const range of ranges) {
    const type = choose(range);
    if (type !== null) return type;
  }
  return null;
}

/** Media types of a single result, by the media range that accepts them. */
const RESULT_TYPES = new Map<string, AnswerType>([
  ['*/*', 'application/json'],
  ['application/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
]);

const STREAM_RANGES = ['*/*', 'text/*', 'text/event-stream'];

/** Other protocols use `multipart/mixed` too: only this parameter tells that the client knows the one for subscriptions. */
const SUBSCRIPTION_SPEC = /;\s*subscriptionspec="?1\.0"?\s*(;|$)/;

function streamType(range: string): StreamType | null {
  const type = mediaRange(range);
  if (STREAM_RANGES.includes(type)) return 'text/event-stream';
  return type === 'multipart/mixed' && SUBSCRIPTION_SPEC.test(range) ? type : null;
}

const TYPES =
  'application/json, application/graphql-response+json, text/event-stream or multipart/mixed;subscriptionSpec="1.0"';

function mediaRange(range: string): string {
  return (range.split(';', 1)[0] ?? '').trim();
}

/** Returns whether a media range names no charset other than UTF-8. */
function isUtf8(range: string): boolean {
  const [, charset = 'utf-8'] = /;\s*charset=([^;]*)/.exec(range) ?? [];
  return charset.trim() === 'utf-8';
}

/** Sends a result through Fastify, which adds the common headers and the log line. */
export async function sendResult(
  reply: FastifyReply,
  result: Result,
  { encode, accepted, signal }: SendOptions,
): Promise<FastifyReply> {
  const isStream = isResults(result);
  const type = isStream ? accepted.stream : accepted.result;
  if (type === null) {
    const message = `The results of a subscription can only be sent as ${STREAMS}.`;
    throw new HttpError(406, 'NOT_ACCEPTABLE', message);
  }
  if (type === 'multipart/mixed') {
    return streamable(reply).type(MULTIPART_TYPE).send(toMultipart(result, signal()));
  }
  if (!isStream && isJson(result) && type !== 'text/event-stream') {
    return sendJson(reply.type(`${type}; charset=utf-8`), resultToJson(result));
  }
  const response = await encode(result, type);
  reply.code(response.status);
  response.headers.forEach((value, name) => void reply.header(name, value));
  if (type === 'text/event-stream') {
    return streamable(reply).send(toStream(response, signal()));
  }
  const body = await response.text();
  const hasErrors = !isStream && (result.errors?.length ?? 0) > 0;
  return hasErrors ? reply.send(body) : sendJson(reply, body);
}

/** Sends the results of a batch, in the order of its operations. */
export async function sendBatch(
  reply: FastifyReply,
  results: readonly SingleResult[],
  { accepted }: SendOptions,
): Promise<FastifyReply> {
  const type = accepted.result;
  if (type === 'text/event-stream' || type === 'multipart/mixed') {
    throw new HttpError(406, 'NOT_ACCEPTABLE', 'The results of a batch can only be sent as JSON.');
  }
  return reply.type(`${type}; charset=utf-8`).send(`[${results.map(resultToJson).join()}]`);
}

const STREAMS = 'text/event-stream or multipart/mixed;subscriptionSpec="1.0"';

/** Sends a result without errors. */
function sendJson(reply: FastifyReply, body: string): FastifyReply {
  return isCacheable(reply) ? sendCacheable(reply, body) : reply.send(body);
}

/** Sets the headers of a stream. */
function streamable(reply: FastifyReply): FastifyReply {
  // Yoga sets the coding `none`, which does not exist. nginx would hold events back until it has a page of them.
  return reply.removeHeader('content-encoding').header('x-accel-buffering', 'no');
}

/** The settings of one response. */
export interface SendOptions {
  encode: Pipeline['encode'];
  accepted: AcceptedTypes;
  /** Ends an event stream. */
  signal: () => AbortSignal;
}
