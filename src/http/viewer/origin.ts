import type { FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import { type CalledAs, hasHttpsTarget } from '../absolute-url.ts';
import { HttpError } from '../http-error.ts';
import { isUpgrade } from '../upgrade.ts';
import { cookieCredential } from './cookie.ts';

/** Settings that decide whose requests the server accepts. */
export interface OriginOptions {
  /** `open`: the server is for the users of this machine only. */
  auth: 'open' | 'required';
  /** The origins of other sites whose pages may call the server, with cookies too; null: the default of `auth`. */
  corsOrigins: readonly string[] | null;
  publicUrl: string | null;
}

/** Decides which pages in browsers may send requests, and read the responses. */
export interface OriginRules {
  /** Options of `@fastify/cors`. */
  cors: FastifyCorsOptions | { delegator: CorsDelegator };
  /**
   * Returns the error (403) for a request that a page may have sent against the will of its user; undefined for any
   * other request.
   */
  refusal(request: FastifyRequest): HttpError | undefined;
  /** Tells whether a page that may use the cookie of its user has sent a request. */
  acceptsCookie(request: FastifyRequest): boolean;
}

type CorsDelegator = (
  request: FastifyRequest,
  callback: (error: Error | null, options: FastifyCorsOptions) => void,
) => void;

const COMMON: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  exposedHeaders: [
    'accept-ranges',
    'content-disposition',
    'content-range',
    'etag',
    'location',
    'ratelimit',
    'ratelimit-policy',
    'retry-after',
    'x-request-id',
  ],
  maxAge: 86_400,
  strictPreflight: false,
};
const WITH_ORIGIN: FastifyCorsOptions = { ...COMMON, origin: true };
const WITH_CREDENTIALS: FastifyCorsOptions = { ...WITH_ORIGIN, credentials: true };
const NONE: FastifyCorsOptions = { origin: false };

/** The names and addresses of this machine, in lower case, with any port. A resolver cannot make them another's. */
const LOOPBACK =
  '(?:localhost|(?:[a-z0-9_-]+\\.)+localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\])(?::\\d{0,5})?';
const LOOPBACK_HOST = new RegExp(`^${LOOPBACK}$`);
const LOOPBACK_ORIGIN = new RegExp(`^https?://${LOOPBACK}$`);

/** Methods that change nothing: RFC 9110 §9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Tells whether a host, which may have a port, is a name or an address of this machine. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOST.test(host.toLowerCase());
}

/**
 * Creates the rules for pages.
 *
 * - `open`: only requests to a loopback host are served. Otherwise a site could point its own name at this machine, and
 *   its pages would have the rights of the user. Pages of loopback origins may call the server.
 * - `required`: pages of all origins may call the server, with a credential in a header.
 * - `corsOrigins`: in both modes, only pages of these origins may call it, with or without cookies.
 *
 * A change by cookie must come from a page of this server or of `corsOrigins`: a browser adds cookies to the requests
 * of any page. The same holds for a WebSocket, which is refused to pages that may not call the server. While the server is open, the same holds without a cookie.
 */
export function createOriginRules({ auth, corsOrigins, publicUrl }: OriginOptions): OriginRules {
  const isOpen = auth === 'open';
  const isOwn = createIsOwn(publicUrl);
  const isListed = (origin: string) => corsOrigins?.includes(origin) ?? false;
  const isCorsOrigin = (origin: string) =>
    corsOrigins === null ? !isOpen || LOOPBACK_ORIGIN.test(origin) : isListed(origin);
  const mayCall = (origin: string, request: FastifyRequest) =>
    isCorsOrigin(origin) || isOwn(origin, request.calledAs);
  const maySendCookie = (origin: string, request: FastifyRequest) =>
    isListed(origin) || isOwn(origin, request.calledAs);
  return {
    cors:
      !isOpen && corsOrigins === null
        ? { ...COMMON, origin: '*' }
        : { delegator: ((request, callback) => callback(null, corsOf(request))) as CorsDelegator },
    refusal(request) {
      const { method, headers, raw } = request;
      if (isOpen && !hasLoopbackHost(request) && !hasHttpsTarget(raw)) return wrongHost();
      const { origin } = headers;
      // CORS does not apply to WebSocket: whoever opens a connection can read from it.
      if (isUpgrade(raw)) {
        return isSentBy(request, mayCall, 'accept unknown') ? undefined : wrongOrigin();
      }
      if (SAFE_METHODS.has(method)) {
        // A preflight, above all. Its request would be refused, or its response withheld.
        const isRefused = method === 'OPTIONS' && origin && !mayCall(origin, request);
        return isRefused ? wrongOrigin() : undefined;
      }
      if (cookieCredential(headers) !== null) {
        return isSentBy(request, maySendCookie, 'refuse unknown') ? undefined : wrongCookie();
      }
      return !isOpen || isSentBy(request, mayCall, 'accept unknown') ? undefined : wrongOrigin();
    },
    acceptsCookie: (request) => isSentBy(request, maySendCookie, 'refuse unknown'),
  };

  function corsOf(request: FastifyRequest): FastifyCorsOptions {
    const { origin } = request.headers;
    if (origin === undefined) return WITH_ORIGIN;
    if (isListed(origin)) return WITH_CREDENTIALS;
    return mayCall(origin, request) ? WITH_ORIGIN : NONE;
  }
}

type IsAccepted = (origin: string, request: FastifyRequest) => boolean;

/**
 * Tells whether an accepted page has sent a request, from the headers that no page can set. A request without any of
 * them comes from a program, or from an old browser, which sends its `Referer`. (OWASP, "Cross-Site Request Forgery
 * Prevention", recommends to refuse a request with a cookie that has none.)
 */
function isSentBy(
  request: FastifyRequest,
  isAccepted: IsAccepted,
  unknown: 'accept unknown' | 'refuse unknown',
): boolean {
  const { origin, referer, 'sec-fetch-site': site } = request.headers;
  if (origin !== undefined) return isAccepted(origin, request);
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (referer === undefined) return unknown === 'accept unknown';
  return URL.canParse(referer) && isAccepted(new URL(referer).origin, request);
}

/** Creates the function that tells whether an origin is that of this server. */
function createIsOwn(publicUrl: string | null) {
  const own = publicUrl === null ? null : new URL(publicUrl);
  return (origin: string, { scheme, isSchemeKnown, host }: CalledAs): boolean => {
    if (origin === own?.origin) return true;
    // The scheme of the public name is known: a page that came over HTTP is not the one that HTTPS protects.
    if (host === own?.host) return false;
    return origin === `${scheme}://${host}` || (!isSchemeKnown && origin === `https://${host}`);
  };
}

/** Tells whether the name in `Host`, and the one that a trusted proxy forwards, are names of this machine. */
function hasLoopbackHost({ raw, calledAs }: FastifyRequest): boolean {
  const { host, 'x-forwarded-host': forwarded } = raw.headers;
  return (
    isLoopbackHost(host || calledAs.host) &&
    (forwarded === undefined || isLoopbackHost(calledAs.host))
  );
}

function wrongHost(): HttpError {
  return new HttpError(
    403,
    'HOST_NOT_ALLOWED',
    'With TRIVIUM_AUTH=open, the server only serves this machine: expected a Host such as localhost or 127.0.0.1.',
  );
}

function wrongOrigin(): HttpError {
  return new HttpError(
    403,
    'ORIGIN_NOT_ALLOWED',
    'Pages of this origin may not call the server. TRIVIUM_CORS_ORIGINS names the origins that may.',
  );
}

function wrongCookie(): HttpError {
  return new HttpError(
    403,
    'ORIGIN_NOT_ALLOWED',
    'A change with a cookie needs the Origin of this server or one of TRIVIUM_CORS_ORIGINS. A program sends its credential in a header.',
  );
}
