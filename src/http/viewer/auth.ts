import type { IncomingHttpHeaders } from 'node:http';
import { NotAuthenticatedError } from '../../domain/error.ts';
import {
  ANONYMOUS,
  type KnownViewer,
  type StartNode,
  type Viewer,
} from '../../domain/viewer/viewer.ts';
import { viewerOfClaims } from './claim.ts';
import { cookieCredential } from './cookie.ts';
import { createVerifyJwt, type JwtOptions } from './jwt.ts';

/** The sources of valid credentials. */
export interface AuthOptions extends JwtOptions {
  /** Finds the viewer of an API key or of a session's token: asked for each request, so that a revocation counts at once. */
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

function createVerify({ resolveStartNodes, ...options }: AuthOptions) {
  const verify = createVerifyJwt(options);
  return async (token: string): Promise<KnownViewer | null> => {
    const claims = await verify(token);
    const viewer = claims && viewerOfClaims(claims);
    if (!viewer || claims?.start_nodes === undefined) return viewer;
    return { ...viewer, startNodes: await resolveStartNodes(claims.start_nodes) };
  };
}
