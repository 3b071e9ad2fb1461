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

/** The one use of a link. */
export interface SignInUse {
  /** Takes it; returns false if someone else has. */
  take(): Promise<boolean>;
  giveBack(): void;
}

/** The secret of a link, and when it expires, in milliseconds since 1970. */
export interface SignInSecret {
  secret: string;
  expiresAt: number;
}

/** Creates the secret of a link, valid for ten minutes. */
export function createSignInSecret(now: number): SignInSecret {
  return { secret: randomBytes(32).toString('base64url'), expiresAt: now + LIFE_MS };
}

/** Options of `createSignInLink`. */
export interface SignInLinkOptions {
  /** Milliseconds since 1970. */
  clock: () => number;
  beginSession: () => Promise<Session>;
  /** (Default: a new one, which only this process knows) */
  link?: SignInSecret | undefined;
  /** (Default: that of a link which only this process knows) */
  use?: SignInUse | undefined;
}

/** Creates a link, valid once and for ten minutes. */
export function createSignInLink({
  clock,
  beginSession,
  link: { secret, expiresAt } = createSignInSecret(clock()),
  use = createOwnUse(),
}: SignInLinkOptions): SignInLink {
  return {
    path: `${SIGN_IN_PATH}?secret=${secret}`,
    async redeem(given) {
      if (clock() >= expiresAt || !isEqual(given, secret) || !(await use.take())) return null;
      try {
        return await beginSession();
      } catch (error) {
        use.giveBack();
        throw error;
      }
    },
  };
}

function createOwnUse(): SignInUse {
  let isTaken = false;
  return {
    async take() {
      const isFree = !isTaken;
      isTaken = true;
      return isFree;
    },
    giveBack() {
      isTaken = false;
    },
  };
}

/** Path of the link. Its query is never logged. */
export const SIGN_IN_PATH = '/sign-in';

function isEqual(given: string, secret: string): boolean {
  const [one, other] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one as Buffer, other as Buffer);
}
