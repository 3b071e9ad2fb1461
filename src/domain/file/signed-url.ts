import { z } from 'zod';
import type { Context } from '../context.ts';
import { parseInput } from '../input.ts';
import { isMacOf, macOf } from '../mac.ts';

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
  return signPathUntilHour(ctx, path, expiryHourForNow(ctx));
}

/** Returns the expiry of a URL that is valid for one to two hours from now, in hours since 1970. */
export function expiryHourForNow(ctx: Pick<Signer, 'clock'>): number {
  return Math.floor(secondsOf(ctx) / HOUR_SECONDS) + 2;
}

/** Tells whether an expiry, in hours since 1970, has passed. */
export function isHourReached(ctx: Pick<Signer, 'clock'>, hour: number): boolean {
  return hour * HOUR_SECONDS <= secondsOf(ctx);
}

/** Returns a signed path that expires at `hour`, in hours since 1970. */
export function signPathUntilHour(ctx: Signer, path: string, hour: number): string {
  return signUntil(ctx, path, hour * HOUR_SECONDS, {});
}

function signUntil(
  { urlKeys: [key = ''] }: Signer,
  path: string,
  expires: number,
  query: Readonly<Record<string, string>>,
): string {
  const signed = { ...query, [EXPIRES]: String(expires) };
  const signature = macOf(key, textOf(path, signed)).toString('base64url');
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
  if (!isMacOf(ctx.urlKeys, textOf(path, signed), signature)) return 'invalid';
  return Number(expires) > secondsOf(ctx) ? 'valid' : 'expired';
}

/** Returns the text that is signed. As JSON, two different queries are never the same text. */
function textOf(path: string, query: Query): string {
  const parameters = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(['signed URL', 1, path, parameters]);
}

function secondsOf({ clock }: Pick<Signer, 'clock'>): number {
  return Math.floor(clock() / 1000);
}
