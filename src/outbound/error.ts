/** Options of an `OutboundError`. (Default: a failure that may pass) */
interface OutboundErrorOptions extends ErrorOptions {
  isPermanent?: boolean;
  retryAfterMs?: number;
}

/** A fetch that failed. The message names nothing of this server's own network. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  /** Whether the same fetch will fail again whenever it is tried. */
  readonly isPermanent: boolean;
  /** Wait before the next try that the other server asks for; 0: it does not say. */
  readonly retryAfterMs: number;

  constructor(message: string, options: OutboundErrorOptions = {}) {
    super(message, options);
    this.isPermanent = options.isPermanent ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** Returns the error of a fetch that will fail again whenever it is tried. */
export function permanentFailure(message: string, options: ErrorOptions = {}): OutboundError {
  return new OutboundError(message, { ...options, isPermanent: true });
}

/** 4xx statuses that ask to try again later. */
const TRANSIENT_STATUSES = [408, 425, 429];

/** Returns the error of a response whose status is not 2xx. `retryAfter`: its Retry-After header. */
export function statusFailure(status: number, retryAfter: string | null): OutboundError {
  const message = `The server answered ${status}.`;
  const isTransient = status >= 500 || TRANSIENT_STATUSES.includes(status);
  if (!isTransient) return permanentFailure(message);
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

/** Returns the OutboundError of a failed request; the reason of `signal` if that has been aborted. */
export function toOutboundError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof OutboundError) return error;
  const { code = '', name = '' } = error as { code?: unknown; name?: unknown };
  if (/HEADERS_OVERFLOW/.test(String(code))) {
    return permanentFailure('The headers of the response are too large.', { cause: error });
  }
  const [, describe = 'The server could not be reached.'] =
    MESSAGES.find(([pattern]) => pattern.test(`${name} ${code}`)) ?? [];
  return new OutboundError(describe, { cause: error });
}

/** Messages by the name and code of the error. They do not describe the network between us and the server. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/TimeoutError|TIMEOUT|ETIMEDOUT/, 'The server did not answer in time.'],
  [/ENOTFOUND|EAI_|ENODATA/, 'The host was not found.'],
  [/HTTPParser|HPE_/, 'The response is not valid HTTP.'],
  [/CERT|TLS|SSL|SELF_SIGNED/, 'A secure connection could not be established.'],
  [/UND_ERR_SOCKET|ECONNRESET|EPIPE|MISMATCH/, 'The connection broke.'],
];

/** Yields the bytes of a response; throws the same errors as the request. */
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
