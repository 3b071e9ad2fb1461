import { UploadError } from './upload-error.ts';

/** How often and when a request is sent again. */
export interface RetryPolicy {
  /** So many failures may follow each other. Default 8. */
  retriesMax: number;
  /** Before the second attempt; doubled for each one after it. Default 500. */
  retryDelayMs: number;
  /** No delay is longer, but what the server asks for. Default 30,000. */
  retryDelayMaxMs: number;
}

/** An attempt failed, and there will be another one. */
export interface RetryNotice {
  error: UploadError;
  /** Until then. */
  delayMs: number;
  /** 1 at the first. */
  retry: number;
}

/** What one use of `retry` asks for. */
export interface RetryOptions extends RetryPolicy {
  /** Whether the same can succeed later. Default: only where that does not depend on what was asked. */
  isWorthwhile?: (error: UploadError) => boolean;
  onRetry?: ((notice: RetryNotice) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Somebody who asks for a longer rest does not mean an upload that a person waits for. */
const RETRY_AFTER_MAX_MS = 5 * 60_000;

const TRANSIENT = ['UNREACHABLE', 'UNAVAILABLE', 'TOO_MANY_REQUESTS'];
/** The failure itself says what to do differently: there is nothing to wait for. */
const INSTRUCTIVE = ['OFFSET_MISMATCH', 'REQUEST_TOO_LARGE'];

/** Whether the network or the server failed, and not the request. */
export function isTransient({ code }: UploadError): boolean {
  return TRANSIENT.includes(code);
}

/**
 * Attempts until it succeeds. Throws the last failure when it is not worth another attempt or there have
 * been too many, and the signal's reason once it is aborted. Each attempt is told the failure before it.
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

/** Null: longer than is worth waiting for. */
function delayAfter(
  { code, details: { retryAfterMs } }: UploadError,
  retry: number,
  { retryDelayMs, retryDelayMaxMs }: RetryPolicy,
): number | null {
  if (INSTRUCTIVE.includes(code)) return 0;
  const backOffMs = Math.min(retryDelayMs * 2 ** (retry - 1), retryDelayMaxMs);
  // Clients that one failure of the server has put in step must not come back in step.
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
