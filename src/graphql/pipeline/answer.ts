import type { FastifyReply } from 'fastify';
import { HttpError } from '../../http/http-error.ts';
import { toStream } from './events.ts';
import { isJson } from './execute.ts';
import type { Pipeline } from './pipeline.ts';
import { isResults, type Result } from './run.ts';
import type { AnswerType } from './yoga.ts';

/** The media types that a client accepts, for a single result and for the results of a subscription. */
export interface AcceptedTypes {
  result: AnswerType;
  /** Null if the client does not accept an event stream. */
  stream: AnswerType | null;
}

/**
 * Chooses the media types of a response from an `Accept` header. A single result is sent as an event only if the client
 * accepts nothing else. The first JSON type in the header wins, whatever its `q`. Throws HttpError (406).
 */
export function negotiate(accept: string | undefined): AcceptedTypes {
  const ranges = (accept || '*/*').toLowerCase().split(',').filter(isUtf8).map(mediaRange);
  const json = ranges.map((range) => RESULT_TYPES.get(range)).find((type) => type !== undefined);
  const stream = ranges.some((range) => STREAM_RANGES.includes(range)) ? 'text/event-stream' : null;
  const result = json ?? stream;
  if (result !== null) return { result, stream };
  throw new HttpError(406, 'NOT_ACCEPTABLE', `The response can be sent as ${TYPES}.`);
}

/** Media types of a single result, by the media range that accepts them. */
const RESULT_TYPES = new Map<string, AnswerType>([
  ['*/*', 'application/json'],
  ['application/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
]);

const STREAM_RANGES = ['*/*', 'text/*', 'text/event-stream'];

const TYPES = 'application/json, application/graphql-response+json or text/event-stream';

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
    const message = 'The results of a subscription can only be sent as text/event-stream.';
    throw new HttpError(406, 'NOT_ACCEPTABLE', message);
  }
  if (!isStream && isJson(result) && type !== 'text/event-stream') {
    const extensions = JSON.stringify(result.extensions);
    const body = `{"data":${result.data},"extensions":${extensions}}`;
    return reply.type(`${type}; charset=utf-8`).send(body);
  }
  const response = await encode(result, type);
  reply.code(response.status);
  response.headers.forEach((value, name) => void reply.header(name, value));
  if (type !== 'text/event-stream') return reply.send(await response.text());
  // Yoga sets the coding `none`, which does not exist. nginx would hold events back until it has a page of them.
  reply.removeHeader('content-encoding').header('x-accel-buffering', 'no');
  return reply.send(toStream(response, signal()));
}

/** The settings of one response. */
export interface SendOptions {
  encode: Pipeline['encode'];
  accepted: AcceptedTypes;
  /** Ends an event stream. */
  signal: () => AbortSignal;
}
