import { createHmac, timingSafeEqual } from 'node:crypto';

/** Length of a whole HMAC-SHA256, in bytes. */
const WHOLE_BYTES = 32;

/** Returns the HMAC-SHA256 of a text, cut to `lengthBytes`: RFC 2104 §5 advises against less than half of it. */
export function macOf(key: string, text: string, lengthBytes: number = WHOLE_BYTES): Buffer {
  return createHmac('sha256', key).update(text).digest().subarray(0, lengthBytes);
}

/**
 * Tells in constant time whether `given` is the MAC of a text under one of the keys, in the one spelling that base64url
 * has for it.
 */
export function isMacOf(
  keys: readonly string[],
  text: string,
  given: string,
  lengthBytes: number = WHOLE_BYTES,
): boolean {
  const bytes = Buffer.from(given, 'base64url');
  const isOfKey = (key: string) => {
    const expected = macOf(key, text, lengthBytes);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  };
  // Of all keys, so that the time does not tell which one it is.
  return keys.map(isOfKey).includes(true) && bytes.toString('base64url') === given;
}
