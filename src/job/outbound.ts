import type { Context } from '../domain/context.ts';
import { parseAllowedHosts } from '../outbound/address.ts';
import { createOutbound, type Outbound } from '../outbound/client.ts';
import { OutboundError } from '../outbound/error.ts';
import { PermanentError, TaskError } from './task.ts';

/** A fetch that failed and may succeed later. Its name is the error's name in `Job.error`, which clients see. */
class FetchError extends TaskError {
  override readonly name = 'OutboundError';
}

/**
 * Calls `work` with an HTTP client, closes the client, and returns the result of `work`. Rethrows the errors of `work`,
 * but converts an OutboundError to a PermanentError if retrying cannot help, or else to another TaskError.
 */
export async function withOutbound<T>(
  { settings }: Context,
  work: (outbound: Outbound) => Promise<T>,
): Promise<T> {
  const outbound = createOutbound({ allowed: parseAllowedHosts(settings.outboundAllowedHosts) });
  try {
    return await work(outbound);
  } catch (error) {
    throw toTaskError(error);
  } finally {
    await outbound.close();
  }
}

function toTaskError(cause: unknown): unknown {
  if (!(cause instanceof OutboundError)) return cause;
  const { message, isPermanent, retryAfterMs } = cause;
  if (isPermanent) return new PermanentError(message, { cause });
  return new FetchError(message, { cause, retryAfterMs });
}
