import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Services } from '../context.ts';

/** A session with the rights of the admin key. */
export interface AdminSession {
  /** `tva_…`, accepted wherever a key is. */
  token: string;
  expiresAt: Date;
}

const PREFIX = 'tva_';

/** A working day: the person at the machine gets another session only by a restart. */
const LIFE_MS = 12 * 3_600_000;

/**
 * Begins a session. Its token is signed with the admin key, so that it is valid in every process and after a restart, and
 * another admin key ends all sessions.
 */
export function beginAdminSession(
  services: Pick<Services, 'adminKeySha256' | 'clock'>,
): AdminSession {
  const expiresAt = services.clock() + LIFE_MS;
  const token = `${PREFIX}${expiresAt}_${signatureOf(services, expiresAt)}`;
  return { token, expiresAt: new Date(expiresAt) };
}

/** Tells whether a credential looks like the token of such a session. */
export function isAdminToken(credential: string): boolean {
  return credential.startsWith(PREFIX);
}

/** Tells whether a token belongs to a session that has not ended. */
export function isValidAdminToken(
  services: Pick<Services, 'adminKeySha256' | 'clock'>,
  token: string,
): boolean {
  const [, expiry = '', signature = ''] = /^tva_(\d{1,16})_([\w-]{43})$/.exec(token) ?? [];
  if (signature === '' || Number(expiry) <= services.clock()) return false;
  const expected = signatureOf(services, Number(expiry));
  return timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

function signatureOf({ adminKeySha256 }: Pick<Services, 'adminKeySha256'>, expiresAt: number) {
  return createHmac('sha256', adminKeySha256)
    .update(`admin session until ${expiresAt}`)
    .digest('base64url');
}
