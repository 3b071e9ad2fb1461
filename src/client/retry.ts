import { UploadError } from './upload/upload-error.ts';

/** Limits and delays of the retries of a request. */
export interface RetryPolicy {
  /** Maximum number of retries in a row. Default: 8 for the requests of an upload, 3 for queries. */
  retriesMax: number;
  /** Delay before the first retry; doubled for each further one. Default: 500. */
  retryDelayMs: number;
  /** Longest delay, except one that the server asks for. Default: 30,000. */
  retryDelayMaxMs: number;
}

/** A failed attempt that will be retried. */
export interface RetryNotice {
  error: UploadError;
  /** Time until the retry. */
  delayMs: number;
  /** 1 for the first retry. */
  retry: number;
}

/** Options of one `retry`. */
export interface RetryOptions extends RetryPolicy {
  /** Whether a retry can succeed. Default: only if the failure does not depend on the request. */
  isWorthwhile?: (error: UploadError) => boolean;
  onRetry?: ((notice: RetryNotice) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Longest Retry-After to wait for. After a longer one the upload fails, since a person is waiting for it. */
const RETRY_AFTER_MAX_MS = 5 * 60_000;

const TRANSIENT = ['UNREACHABLE', 'UNAVAILABLE', 'TOO_MANY_REQUESTS'];
/** Error codes after which the retry sends a different request, so that it needs no delay. */
const INSTRUCTIVE = ['OFFSET_MISMATCH', 'REQUEST_TOO_LARGE'];

/** Returns whether the network or the server failed, rather than the request. */
export function isTransient({ code }: UploadError): boolean {
  return TRANSIENT.includes(code);
}

/**
 * Runs `attempt` until it succeeds; each run gets the failure before it. Throws the last failure when a retry cannot
 * succeed or there were too many, and the signal's reason once it is aborted.
 */
export async function retry<T>(
  options: RetryOptions,
  attempt: (failure: UploadError | null) => Promise<T>,
): Promise<T> {
  const { retriesMax, isWorthwhile = isTransient, onRetry, signal } = options;
  let failure: UploadError | null = null;
  for (let retry = 1; ; retry++) {
    try {
      return await attempt(failure);
    } catch (error) {
      if (!(error instanceof UploadError) || !isWorthwhile(error) || retry > retriesMax)
        throw error;
      const delayMs = delayAfter(error, retry, options);
      if (delayMs === null) throw error;
      onRetry?.({ error, delayMs, retry });
      await sleep(delayMs, signal);
      failure = error;
    }
  }
}

/** Returns the delay before the retry; null if it is too long to wait for. */
function delayAfter(
  { code, details: { retryAfterMs } }: UploadError,
  retry: number,
  { retryDelayMs, retryDelayMaxMs }: RetryPolicy,
): number | null {
  if (INSTRUCTIVE.includes(code)) return 0;
  const backOffMs = Math.min(retryDelayMs * 2 ** (retry - 1), retryDelayMaxMs);
  // Random, so that clients which failed together do not retry together.
  const ownMs = backOffMs * (0.5 + Math.random() / 2);
  if (retryAfterMs === undefined) return ownMs;
  return retryAfterMs > RETRY_AFTER_MAX_MS ? null : Math.max(retryAfterMs, ownMs);
}

function sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(wake, delayMs);
    signal?.addEventListener('abort', wake);
  });
}
