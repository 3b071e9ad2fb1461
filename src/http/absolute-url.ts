import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { HttpError } from './http-error.ts';

/** Returns the absolute URL of a path on this server. */
export type ToUrl = (path: string) => string;

/** The scheme and the name by which a client has called this server. */
export interface CalledAs {
  scheme: 'http' | 'https';
  /** False if only the connection tells the scheme: a proxy that terminates HTTPS may not say so. */
  isSchemeKnown: boolean;
  /** Host and port, in lower case; without a port if the client sent none. */
  host: string;
}

/** Returns a `ToUrl` whose base is `publicUrl`, or else the name by which the client called this server. */
export function urlMaker(
  publicUrl: string | null,
  { calledAs }: Pick<FastifyRequest, 'calledAs'>,
): ToUrl {
  const base = publicUrl ?? `${calledAs.scheme}://${calledAs.host}`;
  return (path) => base + path;
}

/** Tells whether a client has called this server by HTTPS, perhaps through a proxy that does not say so. */
export function isHttps(publicUrl: string | null, { scheme, host }: CalledAs): boolean {
  const own = publicUrl === null ? null : new URL(publicUrl);
  return scheme === 'https' || (own?.protocol === 'https:' && own.host === host);
}

/**
 * Reduces a whole URL to its path and query. RFC 9112 §3.2.2: a client behind a proxy sends the whole URL as its
 * target.
 */
export function toOriginForm(request: IncomingMessage & { originalUrl?: string }): string {
  const { url = '/' } = request;
  const [origin = '', scheme = '', authority = ''] = ABSOLUTE_TARGET.exec(url) ?? [];
  const rest = url.slice(origin.length);
  // Also for `*`, which Fastify would take for the root.
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  if (origin !== '') targets.set(request, { scheme: toScheme(scheme), authority });
  // Fastify keeps the original target, and Yoga prefers that.
  request.originalUrl = path;
  return path;
}

const ABSOLUTE_TARGET = /^(https?):\/\/([^/?#]*)/i;

interface AbsoluteTarget {
  scheme: CalledAs['scheme'];
  authority: string;
}

const targets = new WeakMap<IncomingMessage, AbsoluteTarget>();

/**
 * Tells whether the target is a whole `https` URL. Programs that send every request through a proxy write it. A
 * browser never does: it opens a tunnel to the host.
 */
export function hasHttpsTarget(request: IncomingMessage): boolean {
  return targets.get(request)?.scheme === 'https';
}

/**
 * Returns the name by which a client has called this server: the one that a trusted proxy forwards, or else that of a
 * target that is a whole URL (RFC 9112 §3.2.2: the `Host` header must then be ignored), or else the `Host` header. Its
 * characters are harmless in a link. Throws HttpError (400) for several `Host` headers and for a malformed name.
 */
export function readCalledAs(
  request: IncomingMessage,
  isTrusted: (address: string, distance: number) => boolean,
): CalledAs {
  const { headers, socket } = request;
  checkOneHost(request);
  const host = checkAuthority('The Host header', headers.host ?? '');
  const target = targets.get(request);
  if (target !== undefined) checkAuthority('The URL', target.authority || '/');
  const isForwarded =
    hasForwardedName(headers) && isTrusted(socket.remoteAddress ?? '', 0) ? headers : {};
  const forwardedHost = lastOf(isForwarded['x-forwarded-host']);
  if (forwardedHost) checkAuthority('X-Forwarded-Host', forwardedHost);
  const proto = lastOf(isForwarded['x-forwarded-proto']).toLowerCase();
  const scheme = proto === 'http' || proto === 'https' ? proto : target?.scheme;
  return {
    scheme: scheme ?? 'http',
    isSchemeKnown: scheme !== undefined,
    host: (forwardedHost || target?.authority || host || localAddress(socket)).toLowerCase(),
  };
}

function hasForwardedName(headers: IncomingHttpHeaders): boolean {
  return 'x-forwarded-host' in headers || 'x-forwarded-proto' in headers;
}

/** RFC 9112 §3.2. Node takes the first, a proxy perhaps the last. */
function checkOneHost({ rawHeaders }: IncomingMessage): void {
  const isHost = (text: string, at: number) =>
    at % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';
  if (rawHeaders.filter(isHost).length > 1) throw badRequest('Expected one Host header.');
}

/**
 * A name, an IPv4 address or an IPv6 address in brackets, and a port. RFC 3986 allows more characters in a name, which
 * no resolver knows and which could be markup.
 */
const AUTHORITY = /^(?:[\w.-]{1,255}|\[([\da-f:.]{2,45})\])(?::(\d{0,5}))?$/i;

/** Returns the authority. An empty one is valid: RFC 9110 §7.2, for a target that has none. */
function checkAuthority(subject: string, authority: string): string {
  if (authority === '') return authority;
  const [text, ipv6, port = ''] = AUTHORITY.exec(authority) ?? [];
  if (text !== undefined && (ipv6 === undefined || isIPv6(ipv6)) && Number(port) <= 65_535) {
    return authority;
  }
  throw badRequest(`${subject} is not valid: expected a host name or an address, and a port.`);
}

/** Returns the last value of a list: the nearest proxy has added it. */
function lastOf(header: string | string[] | undefined): string {
  return header === undefined ? '' : (String(header).split(',').at(-1)?.trim() ?? '');
}

function toScheme(scheme: string): CalledAs['scheme'] {
  return scheme.toLowerCase() === 'https' ? 'https' : 'http';
}

/** Names this server when the client did not: HTTP/1.0 has no `Host`, and it may be empty. */
function localAddress({ localAddress = '', localPort }: IncomingMessage['socket']): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}

function badRequest(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
