/** The cookie that holds a credential: a key, a token of another issuer, or the token of a session. */
const NAME = 'auth-token';

/** Returns the credential in a `Cookie` header, or null. */
export function readSessionCookie(header: string | undefined): string | null {
  const pair = header?.split(/; */).find((pair) => pair.startsWith(`${NAME}=`));
  return pair?.slice(NAME.length + 1) || null;
}

/** Where a cookie is sent to. */
export interface CookieOptions {
  /** Whether this server is reached by HTTPS. The browser then never sends the cookie without it. */
  isSecure: boolean;
}

/**
 * Returns the `Set-Cookie` header that gives a browser the token of a session. No script can read the cookie, and no
 * other site can send it with a write.
 */
export function sessionCookie(
  { token, expiresAt }: { token: string; expiresAt: Date },
  { isSecure }: CookieOptions,
): string {
  const attributes = [`Expires=${expiresAt.toUTCString()}`, ...attributesOf(isSecure)];
  return [`${NAME}=${token}`, ...attributes].join('; ');
}

/** Returns the `Set-Cookie` header that makes a browser delete the cookie. */
export function clearedCookie({ isSecure }: CookieOptions): string {
  return [`${NAME}=`, 'Max-Age=0', ...attributesOf(isSecure)].join('; ');
}

function attributesOf(isSecure: boolean): string[] {
  return ['Path=/', 'HttpOnly', 'SameSite=Lax', ...(isSecure ? ['Secure'] : [])];
}
