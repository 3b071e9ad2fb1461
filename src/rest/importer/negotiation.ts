import type { IncomingHttpHeaders } from 'node:http';
import { acceptedRanges } from '../../http/accept.ts';
import { mediaTypeOf, parseParameters } from '../../lib/header-value.ts';
import { ProblemError } from './problem.ts';

/** The media type of JSON:API. */
export const JSON_API = 'application/vnd.api+json';

/**
 * Rejects a content type with parameters with 415, whatever the method: JSON:API 1.1, "Server
 * Responsibilities". `profile` is ignored; `ext` is rejected, because no extension is known here.
 */
export function checkContentType({ 'content-type': type = '' }: IncomingHttpHeaders): void {
  if (!isJsonApi(type) || isPlain(type)) return;
  const detail = `"profile" is the only parameter that ${JSON_API} may have.`;
  throw ProblemError.of(415, 'unsupported_media_type', detail, { header: 'Content-Type' });
}

/**
 * Rejects an `Accept` header with 406 if every instance of JSON:API's media type in it has a
 * parameter: JSON:API 1.1. A client that does not name the type gets it all the same: contract
 * §1.3.
 */
export function checkAccept({ accept = '' }: IncomingHttpHeaders): void {
  const instances = acceptedRanges(accept).filter(isJsonApi);
  if (instances.length === 0 || instances.some(isPlain)) return;
  const detail = `The response is sent as ${JSON_API} without parameters, and the request does not accept that.`;
  throw ProblemError.of(406, 'not_acceptable', detail, { header: 'Accept' });
}

function isJsonApi(type: string): boolean {
  return mediaTypeOf(type) === JSON_API;
}

/**
 * Tells whether a media type has no parameter. RFC 9110 §12.4.2: `q` is a weight, not a parameter of the media type.
 */
function isPlain(type: string): boolean {
  const names = [...parseParameters(type).keys()];
  return names.every((name) => name === 'profile' || name === 'q');
}
