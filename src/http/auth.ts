import type { IncomingHttpHeaders } from 'node:http';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { AuthUnavailableError, NotAuthenticatedError } from '../domain/error.ts';
import { isUserId } from '../domain/viewer/user.ts';
import {
  ANONYMOUS,
  type KnownViewer,
  ROLES,
  type Role,
  type StartNode,
  type Viewer,
} from '../domain/viewer/viewer.ts';
import { TOKEN_ISSUER } from './token.ts';

/** What makes a credential good. */
export interface AuthOptions {
  /** Secret of HS256 tokens; null: none are accepted. */
  jwtSecret: string | null;
  /** Where the public keys of other tokens are; null: none are accepted. */
  jwksUrl: string | null;
  findViewerByKey: (key: string) => Promise<KnownViewer | null>;
  /** Where a token's `start_nodes` are. */
  resolveStartNodes: (claim: unknown) => Promise<StartNode[]>;
}

/** The credentials of a request, as they are on the wire. */
export interface CredentialSource {
  method: string;
  headers: IncomingHttpHeaders;
}

/**
 * Who sends a request: `Authorization: Bearer <token or key>`, `Authorization: Basic base64("<key>:")`,
 * `Api-Key: <key>`, cookie `auth-token=<token or key>`. The cookie counts only without a header. Throws
 * NotAuthenticatedError for any header that is not good, also where no credential was needed.
 */
export type Authenticate = (source: CredentialSource) => Promise<Viewer>;

/**
 * Throws nothing for a JWKS that cannot be reached: it is asked at the first token that needs it, which is an
 * AuthUnavailableError then.
 */
export function createAuthenticate(options: AuthOptions): Authenticate {
  const verify = createVerify(options);
  const findViewer = async (credential: string) =>
    (isTokenShaped(credential) ? await verify(credential) : null) ??
    (await options.findViewerByKey(credential));

  return async (source) => {
    const credentials = readCredentials(source);
    // Each header must be good, the first one says who it is.
    const viewers = await Promise.all(credentials.map(findViewer));
    if (viewers.includes(null)) throw new NotAuthenticatedError('rejected');
    return viewers[0] ?? ANONYMOUS;
  };
}

function readCredentials({ method, headers }: CredentialSource): string[] {
  const found: string[] = [];
  if (headers.authorization !== undefined) found.push(parseAuthorization(headers.authorization));
  const apiKey = headers['api-key'];
  if (apiKey !== undefined) found.push(String(apiKey));
  if (found.length > 0) return found;
  const cookie = readCookie(headers.cookie, 'auth-token');
  return cookie === null || isForgeable(method, headers) ? [] : [cookie];
}

function parseAuthorization(header: string): string {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() === 'basic') {
    const userAndPassword = Buffer.from(value, 'base64').toString();
    if (userAndPassword.endsWith(':')) return userAndPassword.slice(0, -1);
  }
  throw new NotAuthenticatedError('rejected');
}

function readCookie(header: string | undefined, name: string): string | null {
  const pair = header?.split(/; */).find((pair) => pair.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) || null;
}

// A browser adds the cookie to what any other site makes it send; a write must not count as the user's then.
function isForgeable(method: string, headers: IncomingHttpHeaders): boolean {
  const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  return !isRead && headers['sec-fetch-site'] === 'cross-site';
}

function isTokenShaped(credential: string): boolean {
  return credential.split('.').length === 3;
}

function createVerify({ jwtSecret, jwksUrl, resolveStartNodes }: AuthOptions) {
  const verifySigned = jwtSecret === null ? null : createVerifySigned(jwtSecret);
  const jwks = jwksUrl === null ? null : createRemoteJWKSet(new URL(jwksUrl));
  const verify = async (token: string): Promise<Verified | null> => {
    try {
      // The algorithm is bound to the kind of key: a public key is never tried as an HMAC secret.
      if (verifySigned) {
        const payload = await verifySigned(token);
        return { payload, isOwn: payload.iss === TOKEN_ISSUER };
      }
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
    if (jwks === null) return null;
    try {
      const { payload } = await jwtVerify(token, jwks, { algorithms: ASYMMETRIC });
      return { payload, isOwn: false };
    } catch (cause) {
      if (isUnavailable(cause)) throw new AuthUnavailableError({ cause });
      return null;
    }
  };
  return async (token: string): Promise<KnownViewer | null> => {
    const verified = await verify(token);
    const viewer = verified && toViewer(verified);
    const claim = verified?.payload.start_nodes;
    if (viewer === null || claim === undefined) return viewer;
    return { ...viewer, startNodes: await resolveStartNodes(claim) };
  };
}

/** Verified tokens that are kept: the token of a user who is not among the last 1,000 is verified again. */
const VERIFIED_TOKENS_MAX = 1000;

/**
 * Creates the function that verifies tokens of one secret. A token that was valid once has only its expiry checked
 * again: verifying a signature is a task for another thread, and a client sends the same token with each request.
 */
function createVerifySigned(jwtSecret: string): (token: string) => Promise<JWTPayload> {
  const secret = new TextEncoder().encode(jwtSecret);
  const verified = new LRUCache<string, JWTPayload>({ max: VERIFIED_TOKENS_MAX });
  return async (token) => {
    const known = verified.get(token);
    const { exp = Number.POSITIVE_INFINITY } = known ?? {};
    if (known !== undefined && Date.now() < exp * 1000) return known;
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    verified.set(token, payload);
    return payload;
  };
}

interface Verified {
  payload: JWTPayload;
  /** Whether this server has issued it. */
  isOwn: boolean;
}

/** The key set could not be had, or is none: nothing is known of the token. The others are faults of the token. */
function isUnavailable(error: unknown): boolean {
  const isOfToken = error instanceof errors.JOSEError && !UNAVAILABLE.includes(error.code);
  return !isOfToken;
}

/** Of `jose`: no answer in time, an answer that is no 200 or no JSON, JSON that is no key set. */
const UNAVAILABLE = ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'];

const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/** `user_id` is SelfCommunity's claim; `token_type`, where there is one, keeps refresh tokens out. */
function toViewer({ payload, isOwn }: Verified): KnownViewer | null {
  const id = payload.user_id ?? payload.sub;
  // A user of another issuer's who is called like a key, or like a user of this server, would own what is theirs.
  const isReserved = (id: string) => id.startsWith('key:') || (isUserId(id) && !isOwn);
  const isName = typeof id === 'string' && id !== '' && !isReserved(id);
  const isId = isName || Number.isSafeInteger(id);
  const isAccess = payload.token_type === undefined || payload.token_type === 'access';
  return isId && isAccess ? { kind: 'user', id: String(id), role: toRole(payload.role) } : null;
}

// A community's tokens carry no role: its members may add media. A role that is not ours gives the least.
function toRole(claim: unknown): Role {
  if (claim === undefined) return 'editor';
  return ROLES.find((role) => role === claim) ?? 'reader';
}
