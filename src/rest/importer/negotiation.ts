import type { IncomingHttpHeaders } from 'node:http';
import { mediaTypeOf, parseParameters } from '../../lib/header-value.ts';
import { ProblemError } from './problem.ts';

/** The media type of JSON:API. */
export const JSON_API = 'application/vnd.api+json';

/**
 * JSON:API 1.1, "Server Responsibilities": a content type with parameters is refused with 415, whatever the
 * method. `profile` may be there and is ignored; `ext` may not, as no extension is known here.
 */
export function checkContentType({ 'content-type': type = '' }: IncomingHttpHeaders): void {
  if (!isJsonApi(type) || isPlain(type)) return;
  const detail = `${JSON_API} may have no parameter but "profile".`;
  throw ProblemError.of(415, 'unsupported_media_type', detail, { header: 'Content-Type' });
}

/**
 * JSON:API 1.1: 406 where every instance of its media type in `Accept` has a parameter. Who does not name
 * the type at all is answered with it all the same: contract §1.3.
 */
export function checkAccept({ accept = '' }: IncomingHttpHeaders): void {
  const instances = splitList(accept).filter(isJsonApi);
  if (instances.length === 0 || instances.some(isPlain)) return;
  const detail = `${JSON_API} is answered without parameters.`;
  throw ProblemError.of(406, 'not_acceptable', detail, { header: 'Accept' });
}

function isJsonApi(type: string): boolean {
  return mediaTypeOf(type) === JSON_API;
}

/** RFC 9110 §12.4.2: `q` is a weight, and no parameter of the media type. */
function isPlain(type: string): boolean {
  const names = [...parseParameters(type).keys()];
  return names.every((name) => name === 'profile' || name === 'q');
}

/** At commas, but not within quotes. */
function splitList(header: string): string[] {
  return (header.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((item) => item.trim());
}
