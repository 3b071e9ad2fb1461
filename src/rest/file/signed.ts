import type { FastifyReply } from 'fastify';
import { checkSignature } from '../../domain/file/signed-url.ts';
import type { Call } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** The query of a request. */
export function queryOf({ request }: Call): Query {
  return request.query as Query;
}

/**
 * Tells whether the URL of a request has a signature that is valid for this path. Throws HttpError for one that is not:
 * it is refused for every file, so that a client learns of its fault.
 */
export function isSigned(call: Call, path: string): boolean {
  const signature = checkSignature(call.ctx, path, queryOf(call));
  if (signature === 'absent' || signature === 'valid') return signature === 'valid';
  throw refusedSignature(call, signature);
}

/** Returns the error for a signed URL that is invalid or has expired. Keeps caches from storing the answer. */
export function refusedSignature({ reply }: Call, reason: 'invalid' | 'expired'): HttpError {
  dontStore(reply);
  if (reason === 'expired') {
    return new HttpError(403, 'SIGNATURE_EXPIRED', 'The signed URL has expired.');
  }
  const message = 'The signature is not valid for this path and these parameters.';
  return new HttpError(403, 'SIGNATURE_INVALID', message);
}

/** Keeps caches from storing the answer: to another viewer, the file may exist. */
export function dontStore(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store');
}

/** Returns `attachment` for `?download`, `?download=1` and `?download=true`. */
export function wantedDisposition({ download }: Query) {
  const value = Array.isArray(download) ? download.at(-1) : download;
  return value !== undefined && ['', '1', 'true'].includes(value) ? 'attachment' : 'inline';
}
