import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { parseInput } from '../input.ts';

/** A parsed query of a URL; a repeated parameter has several values. */
type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

type Signer = Pick<Context, 'urlKeys' | 'clock'>;

const WEEK_SECONDS = 7 * 86_400;
const HOUR_SECONDS = 3600;

/** Names of the parameters that make a URL a signed one. */
const EXPIRES = 'expires';
const SIGNATURE = 'signature';

/** Lifetime of a signed URL: at most a week. */
export const lifetimeSeconds = z.int().min(1).max(WEEK_SECONDS);

const signInput = z.object({ expiresInSeconds: lifetimeSeconds });

/**
 * Returns the path of a file with a signature, with which anyone may read the file for a time. The signature also covers
 * the query: neither another path nor another parameter has the same one. The caller may see the file. Throws
 * InvalidInputError.
 */
export function signPath(
  ctx: Signer,
  path: string,
  input: z.input<typeof signInput>,
  query: Readonly<Record<string, string>> = {},
): string {
  const { expiresInSeconds } = parseInput(signInput, input);
  return signUntil(ctx, path, secondsOf(ctx) + expiresInSeconds, query);
}

/**
 * Returns a signed path that is good for one to two hours. It stays the same within an hour, so that a page that is
 * loaded again shows the same URLs.
 */
export function signPathForNow(ctx: Signer, path: string): string {
  const hour = Math.floor(secondsOf(ctx) / HOUR_SECONDS);
  return signUntil(ctx, path, (hour + 2) * HOUR_SECONDS, {});
}

function signUntil(
  { urlKeys: [key = ''] }: Signer,
  path: string,
  expires: number,
  query: Readonly<Record<string, string>>,
): string {
  const signed = { ...query, [EXPIRES]: String(expires) };
  const signature = signatureOf(key, path, signed).toString('base64url');
  return `${path}?${new URLSearchParams({ ...signed, [SIGNATURE]: signature })}`;
}

/** What a query says of itself: that it has no signature, or whether its signature is good for a path. */
export type SignatureState = 'absent' | 'valid' | 'invalid' | 'expired';

/** Checks the signature in the query of a path, in constant time, with each of the keys. */
export function checkSignature(ctx: Signer, path: string, query: Query): SignatureState {
  const { [SIGNATURE]: signature, ...signed } = query;
  if (signature === undefined) return 'absent';
  const expires = signed[EXPIRES];
  if (typeof signature !== 'string' || typeof expires !== 'string') return 'invalid';
  const given = Buffer.from(signature, 'base64url');
  const isOfKey = (key: string) => {
    const expected = signatureOf(key, path, signed);
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  // Of all keys, so that the time does not tell which one it is. One signature has one spelling.
  const isValid = ctx.urlKeys.map(isOfKey).includes(true);
  if (!isValid || given.toString('base64url') !== signature) return 'invalid';
  return Number(expires) > secondsOf(ctx) ? 'valid' : 'expired';
}

function signatureOf(key: string, path: string, query: Query): Buffer {
  const parameters = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  // As JSON, two different queries are never the same text.
  const text = JSON.stringify(['signed URL', 1, path, parameters]);
  return createHmac('sha256', key).update(text).digest();
}

function secondsOf({ clock }: Signer): number {
  return Math.floor(clock() / 1000);
}
