import { DomainError, type ErrorCode, PassingError } from '../domain/error.ts';
import type { ExceededLimit } from '../domain/exceeded-limit.ts';
import { HttpError } from './http-error.ts';
import { rateHeaders } from './rate-limit.ts';

/**
 * The only table from error codes to statuses. A dialect's `error.ts` gives the shape of the body.
 */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_INPUT: 400,
  NOT_AUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  FOLDER_NOT_EMPTY: 409,
  ALREADY_EXISTS: 409,
  ILLEGAL_SIGNAL: 409,
  BEING_DELETED: 409,
  FOLDER_CYCLE: 409,
  OFFSET_MISMATCH: 409,
  UPLOAD_EXPIRED: 410,
  UPLOAD_COMPLETED: 409,
  DIGEST_MISMATCH: 400,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA: 415,
  SERVER_BUSY: 503,
  TOO_MANY_REQUESTS: 429,
  QUOTA_EXCEEDED: 507,
  INSUFFICIENT_STORAGE: 507,
  STORAGE_UNAVAILABLE: 503,
  // Not 500: the server works, but what it has the bytes from does not. And not 503: a retry does not help.
  FILE_DAMAGED: 502,
  AUTH_UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  SUBSCRIPTION_LAGGED: 503,
};

/**
 * Returns the status of an error: 500 unless it is a DomainError, an HttpError or a client's mistake that Fastify
 * found.
 */
export function httpStatus(error: unknown): number {
  if (error instanceof DomainError) return STATUS[error.code];
  if (error instanceof HttpError) return error.statusCode;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/**
 * Returns the `Retry-After` header of an error, in whole seconds (RFC 9110 §10.2.3), and the headers of the limit that
 * was exceeded.
 */
export function retryHeaders(error: unknown): Record<string, string> {
  if (!isRetryable(error)) return {};
  const { retryAfterMs, exceeded = null } = error;
  return {
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
    ...(exceeded !== null && rateHeaders(exceeded, 0, retryAfterMs)),
  };
}

/** Tells whether an error says when a later try may succeed. */
export function isRetryable(
  error: unknown,
): error is PassingError & { exceeded?: ExceededLimit | null } {
  return error instanceof PassingError;
}

/** Returns the message for a response. The message of a bug stays in the log. */
export function publicMessage(error: unknown): string {
  const isForClients =
    error instanceof DomainError || error instanceof HttpError || httpStatus(error) < 500;
  return isForClients && error instanceof Error ? error.message : 'Internal server error.';
}
