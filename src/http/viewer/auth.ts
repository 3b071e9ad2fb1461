import type { IncomingHttpHeaders } from 'node:http';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { AuthUnavailableError, NotAuthenticatedError } from '../../domain/error.ts';
import { isUserId } from '../../domain/viewer/user.ts';
import {
  ANONYMOUS,
  type KnownViewer,
  ROLES,
  type Role,
  type StartNode,
  type Viewer,
} from '../../domain/viewer/viewer.ts';
import { cleanName } from '../../lib/name.ts';
import { cookieCredential } from './cookie.ts';
import { TOKEN_ISSUER } from './token.ts';

/** The sources of valid credentials. */
export interface AuthOptions {
  /** Secret of HS256 tokens; null: none are accepted. */
  jwtSecret: string | null;
  /** URL of the public keys of other tokens; null: none are accepted. */
  jwksUrl: string | null;
  findViewerByKey: (key: string) => Promise<KnownViewer | null>;
  /** Resolves the `start_nodes` of a token. */
  resolveStartNodes: (claim: unknown) => Promise<StartNode[]>;
}

/** The part of a request that can hold credentials. */
export interface CredentialSource {
  headers: IncomingHttpHeaders;
}

/**
 * Returns the viewer of a request: `Authorization: Bearer <token or key>`, `Authorization: Basic
 * base64("<key>:")`, `Api-Key: <key>`, cookie `auth-token=<token or key>`. The cookie counts only
 * if there is no header; `OriginRules` refuse changes that a foreign page sends with it. Throws
 * NotAuthenticatedError for any invalid header, even where no credential is needed.
 */
export type Authenticate = (source: CredentialSource) => Promise<Viewer>;

/**
 * Creates an `Authenticate`. The JWKS is fetched for the first token that needs it; if it is
 * unavailable then, that request fails with AuthUnavailableError.
 */
export function createAuthenticate(options: AuthOptions): Authenticate {
  const verify = createVerify(options);
  const findViewer = async (credential: string) =>
    (isTokenShaped(credential) ? await verify(credential) : null) ??
    (await options.findViewerByKey(credential));

  return async (source) => {
    const credentials = readCredentials(source);
    // Each header must be valid; the first one names the viewer.
    const viewers = await Promise.all(credentials.map(findViewer));
    if (viewers.includes(null)) throw new NotAuthenticatedError('rejected');
    return viewers[0] ?? ANONYMOUS;
  };
}

function readCredentials({ headers }: CredentialSource): string[] {
  const found: string[] = [];
  if (headers.authorization !== undefined) found.push(parseAuthorization(headers.authorization));
  const apiKey = headers['api-key'];
  if (apiKey !== undefined) found.push(String(apiKey));
  if (found.length > 0) return found;
  const cookie = cookieCredential(headers);
  return cookie === null ? [] : [cookie];
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

function isTokenShaped(credential: string): boolean {
  return credential.split('.').length === 3;
}

function createVerify({ jwtSecret, jwksUrl, resolveStartNodes }: AuthOptions) {
  const verifySigned = jwtSecret === null ? null : createVerifySigned(jwtSecret);
  const verifyRemote = jwksUrl === null ? null : createVerifyRemote(new URL(jwksUrl));
  const verify = async (token: string): Promise<Verified | null> => {
    try {
      // The kind of key fixes the algorithm: a public key is never tried as an HMAC secret.
      if (verifySigned) {
        const payload = await verifySigned(token);
        return { payload, isOwn: payload.iss === TOKEN_ISSUER };
      }
    } catch (error) {
      const { errors } = await loadJose();
      if (!(error instanceof errors.JOSEError)) throw error;
    }
    const payload = await verifyRemote?.(token);
    return payload ? { payload, isOwn: false } : null;
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
    const { jwtVerify } = await loadJose();
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    verified.set(token, payload);
    return payload;
  };
}

/** Creates the function that verifies tokens of other keys. It returns null for a token that is not valid. */
function createVerifyRemote(jwksUrl: URL): (token: string) => Promise<JWTPayload | null> {
  let jwks: JWTVerifyGetKey | undefined;
  return async (token) => {
    const { createRemoteJWKSet, errors, jwtVerify } = await loadJose();
    jwks ??= createRemoteJWKSet(jwksUrl);
    try {
      const { payload } = await jwtVerify(token, jwks, { algorithms: ASYMMETRIC });
      return payload;
    } catch (cause) {
      // Any other error is a fault of the token. Otherwise the key set could not be fetched or read, so that nothing is
      // known of the token.
      const isOfToken = cause instanceof errors.JOSEError && !UNAVAILABLE.includes(cause.code);
      if (!isOfToken) throw new AuthUnavailableError({ cause });
      return null;
    }
  };
}

/** Loads the library for the first token: many servers see only keys. */
function loadJose(): Promise<typeof import('jose')> {
  return import('jose');
}

interface Verified {
  payload: JWTPayload;
  /** Whether this server has issued the token. */
  isOwn: boolean;
}

/**
 * Codes of `jose`: a timeout, a response that is not 200 or not JSON, JSON that is not a key set.
 */
const UNAVAILABLE = ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'];

const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/**
 * Returns the viewer of a token, or null. `user_id` is SelfCommunity's claim, and `u.id` the one of the Importer's own
 * service (Importer contract §1.2). A `token_type` other than `access` marks a refresh token.
 */
function toViewer({ payload, isOwn }: Verified): KnownViewer | null {
  const ofImporter = importerClaims(payload);
  const own = payload.user_id ?? payload.sub;
  const id = own ?? ofImporter?.id;
  // A user of another issuer must not be named like a key or a user of this server, because such a
  // user would own their media.
  const isReserved = (id: string) => id.startsWith('key:') || (isUserId(id) && !isOwn);
  const isName = typeof id === 'string' && cleanName(id) !== '' && !isReserved(id);
  const isId = isName || Number.isSafeInteger(id);
  const isAccess = payload.token_type === undefined || payload.token_type === 'access';
  // `r` belongs to `u`. `role` counts beside it only if another claim names the user.
  const isImporters = own == null || payload.role === undefined;
  const role = toRole(isImporters ? (ofImporter?.role ?? payload.role) : payload.role);
  return isId && isAccess ? { kind: 'user', id: String(id), role } : null;
}

// Tokens of a community carry no role: its members may add media. An unknown role counts as the
// lowest.
function toRole(claim: unknown): Role {
  if (claim === undefined) return 'editor';
  return ROLES.find((role) => role === claim) ?? 'reader';
}

/** Returns user and role of a token of the Importer's own service; null for other tokens. */
function importerClaims({ u: user, r: claim }: JWTPayload): { id: unknown; role: Role } | null {
  if (typeof user !== 'object' || user === null || !('id' in user)) return null;
  const isName = typeof claim === 'string';
  const [, role = 'reader'] = ROLES_OF_IMPORTER.find(([name]) => isName && name.test(claim)) ?? [];
  return { id: user.id, role };
}

/** Roles of that service, contract §1.2. An unknown one counts as the lowest. */
const ROLES_OF_IMPORTER: readonly (readonly [RegExp, Role])[] = [
  [/^(admin|system)$/, 'admin'],
  [/^(user|org_owner|(api\/)?project_rw_\w+)$/, 'editor'],
];
