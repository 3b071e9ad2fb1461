import type { z } from 'zod';
import { listOf, oneOf } from '../setting.ts';
import { isStrongSecret, SECRET_RULE } from './secret.ts';

/** Which tokens of other issuers are accepted, besides the secret and the key set themselves. */
export interface JwtSettings {
  /** Secrets that are accepted as well as `jwtSecret`. */
  jwtPreviousSecrets: readonly string[];
  /** Accepted values of `aud`; empty: any. */
  jwtAudiences: readonly string[];
  /** Accepted values of `iss`; empty: any. */
  jwtIssuers: readonly string[];
  /** Whether a token must have an expiry. */
  isJwtExpiryRequired: boolean;
}

const list = (what: string) =>
  listOf(`${what}, separated by commas`, (entries) => !entries.includes('')).default([]);

const SECRETS = `secrets, each of ${SECRET_RULE}, separated by commas`;

/** The variables of these settings, as in `VARIABLES`. */
export const JWT_VARIABLES = {
  TRIVIUM_JWT_PREVIOUS_SECRETS: [
    // A weak one could be guessed as easily as a weak current one.
    listOf(SECRETS, (entries) => entries.every(isStrongSecret)).default([]),
    `former values of TRIVIUM_JWT_SECRET that are still accepted: ${SECRETS}; default: none`,
  ],
  TRIVIUM_JWT_AUDIENCE: [
    list('audiences'),
    'audiences (aud) of which a token must name one, separated by commas; default: any',
  ],
  TRIVIUM_JWT_ISSUER: [
    list('issuers'),
    'issuers (iss) whose tokens are accepted, separated by commas; default: any',
  ],
  TRIVIUM_JWT_EXPIRY: [
    oneOf(['required', 'optional']).default('required'),
    'required or optional: whether a token must have an expiry (exp); default: required',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = { [Name in keyof typeof JWT_VARIABLES]: z.output<(typeof JWT_VARIABLES)[Name][0]> };

/** Returns the settings that the variables give. */
export function toJwtSettings(values: Values): JwtSettings {
  return {
    jwtPreviousSecrets: values.TRIVIUM_JWT_PREVIOUS_SECRETS,
    jwtAudiences: values.TRIVIUM_JWT_AUDIENCE,
    jwtIssuers: values.TRIVIUM_JWT_ISSUER,
    isJwtExpiryRequired: values.TRIVIUM_JWT_EXPIRY === 'required',
  };
}
