import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** The cost of a guess: 32 MiB, and a fifth of a second of one core. */
export interface PasswordCost {
  /** CPU and memory, a power of 2. */
  N: number;
  /** Block size. */
  r: number;
  /** Parallelization. */
  p: number;
}

/** OWASP's Password Storage Cheat Sheet, scrypt at 32 MiB. */
const COST: PasswordCost = { N: 2 ** 15, r: 8, p: 3 };

const KEY_BYTES = 32;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Returns the text that is stored for a password: `scrypt$N$r$p$salt$key`, the last two in base64url. */
export async function hashPassword(password: string, cost: PasswordCost = COST): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(normal(password), salt, KEY_BYTES, toOptions(cost));
  const parts = ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url')];
  return [...parts, key.toString('base64url')].join('$');
}

/**
 * Tells whether this is the password that was hashed. Without a hash, for an unknown user, it takes the same time and
 * returns false.
 */
export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  const [, N, r, p, salt = '', key = ''] = hash?.split('$') ?? [];
  const cost = hash === null ? COST : { N: Number(N), r: Number(r), p: Number(p) };
  const expected = Buffer.from(key, 'base64url');
  const actual = await derive(
    normal(password),
    Buffer.from(salt, 'base64url'),
    KEY_BYTES,
    toOptions(cost),
  );
  return expected.length === KEY_BYTES && timingSafeEqual(actual, expected);
}

/** Normalizes a password (RFC 8265 §4.2): the same letters arrive composed or decomposed, depending on the keyboard. */
function normal(password: string): string {
  return password.slice(0, LENGTH_COMPARED).normalize('NFC');
}

/** More than any password has, also decomposed. Normalizing a longer text would take long. */
const LENGTH_COMPARED = 4096;

/** Returns the options of scrypt, with exactly the memory that it needs: RFC 7914 §6. */
function toOptions(cost: PasswordCost): ScryptOptions {
  const { N, r, p } = cost;
  return { ...cost, maxmem: 128 * r * (N + p + 2) };
}
