import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { LRUCache } from 'lru-cache';
import { AuthUnavailableError } from '../../domain/error.ts';

/** Which tokens of other issuers are accepted. */
export interface JwtOptions {
  /** Secret of HS256 tokens; null: none are accepted. */
  jwtSecret: string | null;
  /** Secrets whose tokens are accepted as well, while issuers change to the new one. (Default: none) */
  jwtPreviousSecrets?: readonly string[];
  /** URL of the public keys of other tokens; null: none are accepted. */
  jwksUrl: string | null;
  /** `aud` must name one of these. (Default: any, or none) */
  jwtAudiences?: readonly string[];
  /** `iss` must be one of these. (Default: any, or none) */
  jwtIssuers?: readonly string[];
  /** Whether a token must have an expiry. (Default: true) */
  isExpiryRequired?: boolean;
  /** Time between two requests for the key set because of unknown keys, in milliseconds. (Default: 5000) */
  jwksCooldownMs?: number;
}

/** Returns the claims of a token, or null if it is not valid. Throws AuthUnavailableError. */
export type VerifyJwt = (token: string) => Promise<JWTPayload | null>;

/** Maximum difference between the clocks of an issuer and of this server. */
const CLOCK_SKEW_SECONDS = 60;

/** Creates a `VerifyJwt`. The key set is fetched for the first token that needs it, and for a `kid` that it lacks. */
export function createVerifyJwt(options: JwtOptions): VerifyJwt {
  const { jwtSecret, jwtPreviousSecrets = [], jwksUrl, jwksCooldownMs = 5000 } = options;
  const rules = toRules(options);
  const secrets = [...(jwtSecret === null ? [] : [jwtSecret]), ...jwtPreviousSecrets];
  const verifySigned = createVerifySigned(secrets, rules);
  const verifyRemote =
    jwksUrl === null ? null : createVerifyRemote(new URL(jwksUrl), rules, jwksCooldownMs);
  // The kind of key fixes the algorithm: a public key is never tried as an HMAC secret.
  return async (token) => (await verifySigned(token)) ?? (await verifyRemote?.(token)) ?? null;
}

type Rules = Pick<JWTVerifyOptions, 'audience' | 'issuer' | 'requiredClaims' | 'clockTolerance'>;

function toRules({
  jwtAudiences = [],
  jwtIssuers = [],
  isExpiryRequired = true,
}: JwtOptions): Rules {
  return {
    clockTolerance: CLOCK_SKEW_SECONDS,
    ...(jwtAudiences.length > 0 && { audience: [...jwtAudiences] }),
    ...(jwtIssuers.length > 0 && { issuer: [...jwtIssuers] }),
    ...(isExpiryRequired && { requiredClaims: ['exp'] }),
  };
}

/** Verified tokens that are kept: the token of a user who is not among the last 1,000 is verified again. */
const VERIFIED_TOKENS_MAX = 1000;

/**
 * Creates the function that verifies tokens of secrets. A token that was valid once has only its expiry checked again:
 * verifying a signature is a task for another thread, and a client sends the same token with each request.
 */
function createVerifySigned(secrets: readonly string[], rules: Rules): VerifyJwt {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  const verified = new LRUCache<string, JWTPayload>({ max: VERIFIED_TOKENS_MAX });
  return async (token) => {
    const known = verified.get(token);
    const { exp = Number.POSITIVE_INFINITY } = known ?? {};
    if (known !== undefined && Date.now() < (exp + CLOCK_SKEW_SECONDS) * 1000) return known;
    for (const key of keys) {
      const payload = await verifyWith(token, key, { ...rules, algorithms: ['HS256'] });
      if (payload === null) continue;
      verified.set(token, payload);
      return payload;
    }
    return null;
  };
}

async function verifyWith(
  token: string,
  key: Uint8Array,
  options: JWTVerifyOptions,
): Promise<JWTPayload | null> {
  const { errors, jwtVerify } = await loadJose();
  try {
    return (await jwtVerify(token, key, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return null;
  }
}

/** Creates the function that verifies tokens of a key set. */
function createVerifyRemote(jwksUrl: URL, rules: Rules, cooldownDuration: number): VerifyJwt {
  let jwks: JWTVerifyGetKey | undefined;
  return async (token) => {
    const { createRemoteJWKSet, errors, jwtVerify } = await loadJose();
    jwks ??= createRemoteJWKSet(jwksUrl, { cooldownDuration });
    const options = { ...rules, algorithms: ASYMMETRIC };
    try {
      const { payload } = await jwtVerify(token, jwks, options).catch((error: unknown) =>
        verifyWithEach(token, error, options),
      );
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

/** Verifies a token without `kid` with each key of its algorithm: while keys rotate, there are two. Throws JOSEError. */
async function verifyWithEach(
  token: string,
  error: unknown,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  const { errors, jwtVerify } = await loadJose();
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  for await (const key of error) {
    try {
      return await jwtVerify(token, key, options);
    } catch (failure) {
      if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** Loads the library for the first token: many servers see only keys. */
function loadJose(): Promise<typeof import('jose')> {
  return import('jose');
}

/**
 * Codes of `jose`: a timeout, a response that is not 200 or not JSON, JSON that is not a key set.
 */
const UNAVAILABLE = ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'];

const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
