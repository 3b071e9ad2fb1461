import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { cookieCredential } from '../../http/viewer/cookie.ts';

/** The headers that hold the credential of a connection; null: a cookie that the page may not use. */
export type CredentialHeaders = IncomingHttpHeaders | null;

/**
 * Returns the credential of a WebSocket, as headers: that of its `connection_init` message, or else that of the request,
 * whose cookie counts only if it comes from a page that may use it: a browser adds the cookie to the connections of
 * any page (cross-site WebSocket hijacking).
 */
export function credentialOf(
  server: FastifyInstance,
  request: FastifyRequest,
  payload: Readonly<Record<string, unknown>>,
): CredentialHeaders {
  const sent = headersOf(payload);
  if (Object.keys(sent).length > 0) return sent;
  const { headers } = request;
  const isRefused = cookieCredential(headers) !== null && !server.acceptsCookie(request);
  return isRefused ? null : headers;
}

/** Names in a `connection_init` message, in lower case, of the headers that they stand for. */
const HEADERS = new Map([
  ['authorization', 'authorization'],
  ['api-key', 'api-key'],
  ['apikey', 'api-key'],
]);

function headersOf(payload: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(payload)) {
    const header = HEADERS.get(name.toLowerCase());
    if (header !== undefined && typeof value === 'string' && value !== '') found[header] = value;
  }
  return found;
}
