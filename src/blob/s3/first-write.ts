import { S3Error } from './error.ts';
import type { S3Request, S3Response, S3Sender } from './request.ts';

/**
 * Creates a `send` for requests that must not replace an object: those get `If-None-Match: *`. A store that does not
 * know the header refuses it with 501; it then gets the request without it, now and from now on. A replaced object has
 * the same bytes, because a key is never used for others.
 */
export function createFirstWrite({ send }: Pick<S3Sender, 'send'>): S3Sender['send'] {
  let isKnown = true;
  return async <T>(request: S3Request, read: (response: S3Response) => Promise<T>): Promise<T> => {
    if (!isKnown) return await send(request, read);
    const headers = { ...request.headers, 'if-none-match': '*' };
    try {
      return await send({ ...request, headers }, read);
    } catch (error) {
      if (!(error instanceof S3Error && error.status === 501)) throw error;
      isKnown = false;
      return await send(request, read);
    }
  };
}
