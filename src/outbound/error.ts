import { PermanentError, TaskError } from '../job/task.ts';

/** Something elsewhere did not work this time. */
export class OutboundError extends TaskError {
  override readonly name = 'OutboundError';
}

/** 4xx that say "not now". */
const TRANSIENT_STATUSES = [408, 425, 429];

/** What an answer that is no success means. `retryAfter`: the header of that name. */
export function statusFailure(status: number, retryAfter: string | null): TaskError {
  const message = `The server answered ${status}.`;
  const isTransient = status >= 500 || TRANSIENT_STATUSES.includes(status);
  if (!isTransient) return new PermanentError(message);
  const retryAfterMs = toDelayMs(retryAfter);
  return new OutboundError(message, retryAfterMs === null ? {} : { retryAfterMs });
}

function toDelayMs(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const delayMs = /^\d{1,9}$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now();
  return delayMs > 0 ? delayMs : null;
}

/** What the failure of a request means: of `signal`, its reason. */
export function toOutboundError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof TaskError) return error;
  const { code = '', name = '' } = error as { code?: unknown; name?: unknown };
  if (/HEADERS_OVERFLOW/.test(String(code))) {
    return new PermanentError('The headers of the answer are too large.', { cause: error });
  }
  const [, describe = 'The server could not be reached.'] =
    MESSAGES.find(([pattern]) => pattern.test(`${name} ${code}`)) ?? [];
  return new OutboundError(describe, { cause: error });
}

/** By name and code of the error. What there is between us and the server is not told. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/TimeoutError|TIMEOUT|ETIMEDOUT/, 'The server did not answer in time.'],
  [/ENOTFOUND|EAI_|ENODATA/, 'The host was not found.'],
  [/HTTPParser|HPE_/, 'The answer is no proper HTTP.'],
  [/CERT|TLS|SSL|SELF_SIGNED/, 'The connection could not be made secure.'],
  [/UND_ERR_SOCKET|ECONNRESET|EPIPE|MISMATCH/, 'The connection broke.'],
];

/** The bytes of an answer, whose failures mean the same as those of a request. */
export async function* readOutbound(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    throw toOutboundError(error, signal);
  }
}
