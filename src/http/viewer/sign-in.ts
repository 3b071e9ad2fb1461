import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Session } from '../../domain/viewer/session.ts';

/** Lifetime of a link. */
const LIFE_MS = 10 * 60_000;

/** A link that signs in its first visitor. */
export interface SignInLink {
  /** Path and query of the link. */
  path: string;
  /** Returns the session of the visitor; null if it has been used, if it has expired, and for a wrong secret. */
  redeem(secret: string): Promise<Session | null>;
}

/** Creates a link, valid once and for ten minutes. It is known to this process only. */
export function createSignInLink({
  clock,
  beginSession,
}: {
  /** Milliseconds since 1970. */
  clock: () => number;
  beginSession: () => Promise<Session>;
}): SignInLink {
  const secret = randomBytes(32).toString('base64url');
  const expiresAt = clock() + LIFE_MS;
  let isUsed = false;
  return {
    path: `${SIGN_IN_PATH}?secret=${secret}`,
    async redeem(given) {
      if (isUsed || clock() >= expiresAt || !isEqual(given, secret)) return null;
      isUsed = true;
      try {
        return await beginSession();
      } catch (error) {
        isUsed = false;
        throw error;
      }
    },
  };
}

/** Path of the link. Its query is never logged. */
export const SIGN_IN_PATH = '/sign-in';

function isEqual(given: string, secret: string): boolean {
  const [one, other] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one as Buffer, other as Buffer);
}
