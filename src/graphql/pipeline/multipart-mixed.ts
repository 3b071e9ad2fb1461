import { Readable } from 'node:stream';
import { isRetryable, publicMessage } from '../../http/status.ts';
import { isResults, type Result, type SingleResult } from './run.ts';
import { resultToJson } from './wire.ts';

/**
 * Content type of the results of a subscription for Apollo's clients
 * (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol).
 */
export const MULTIPART_TYPE = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"';

/** Interval of the parts that keep an idle connection open. */
const HEARTBEAT_MS = 12_000;

/**
 * A client reads a part when the delimiter after it arrives. So each part is sent with that delimiter, and the first
 * delimiter alone.
 */
const DELIMITER = '\r\n--graphql';
const END = '--\r\n';

/** Returns the body of a response in Apollo's multipart protocol, for Fastify to send. */
export function toMultipart(result: Result, signal: AbortSignal): Readable {
  const results = isResults(result) ? result : once(result);
  return Readable.from(readParts(results, signal), { objectMode: false });
}

async function* once(result: SingleResult): AsyncGenerator<SingleResult> {
  yield result;
}

/**
 * Yields a part for each result. If the stream ends too early, the last part is an error of the transport: clients then
 * subscribe again.
 */
async function* readParts(
  results: AsyncIterable<SingleResult>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const iterator = results[Symbol.asyncIterator]();
  yield DELIMITER + part('{}');
  try {
    let next = iterator.next();
    while (!signal.aborted) {
      const found = await orHeartbeat(next);
      if (found === null) yield part('{}');
      else if (found.done) break;
      else {
        yield part(`{"payload":${resultToJson(found.value)}}`);
        next = iterator.next();
      }
    }
    if (signal.aborted) yield part(toTransportError(STREAM_ENDED));
  } catch (error) {
    if (!isRetryable(error)) throw error;
    yield part(toTransportError({ message: publicMessage(error), code: error.code }));
  } finally {
    iterator.return?.().catch(() => undefined);
  }
  yield END;
}

const STREAM_ENDED = {
  message: 'The server has ended the stream. Subscribe again, and read what may have changed.',
  code: 'STREAM_ENDED',
};

function part(json: string): string {
  return `\r\ncontent-type: application/json\r\n\r\n${json}${DELIMITER}`;
}

function toTransportError({ message, code }: { message: string; code: string }): string {
  return JSON.stringify({ payload: null, errors: [{ message, extensions: { code } }] });
}

/** Returns the next result, or null if it takes too long to arrive. */
async function orHeartbeat<T>(next: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(late.resolve, HEARTBEAT_MS, null);
  try {
    return await Promise.race([next, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
