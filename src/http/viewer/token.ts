import type { Login } from '../../domain/viewer/login.ts';
import { userId } from '../../domain/viewer/user.ts';

/** A credential of a user who has logged in. */
export interface Token {
  /** HS256, for `Authorization: Bearer`. */
  accessToken: string;
  expiresInSeconds: number;
}

/**
 * Returns a token for a name and its password, or null if they are wrong. Throws
 * TooManyRequestsError.
 */
export type IssueToken = (name: string, password: string) => Promise<Token | null>;

/**
 * Lifetime of a token, during which a removed user still has access. Clients log in again five
 * minutes before the end (contract §13), so it must be well above that.
 */
const LIFE_SECONDS = 3600;

/**
 * `iss` of these tokens. Only with it may `sub` be a user of this server: another issuer with the
 * same secret lets its users choose their names.
 */
export const TOKEN_ISSUER = 'trivium';

/** Creates an `IssueToken` that signs with the secret that `createAuthenticate` verifies with. */
export function createIssueToken(login: Login, jwtSecret: string): IssueToken {
  const secret = new TextEncoder().encode(jwtSecret);
  return async (name, password) => {
    const user = await login.check(name, password);
    if (user === null) return null;
    const { role, start_nodes } = user;
    const { SignJWT } = await import('jose');
    const accessToken = await new SignJWT({ role, ...(start_nodes && { start_nodes }) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(TOKEN_ISSUER)
      .setSubject(userId(user.name))
      .setIssuedAt()
      .setExpirationTime(`${LIFE_SECONDS}s`)
      .sign(secret);
    return { accessToken, expiresInSeconds: LIFE_SECONDS };
  };
}
