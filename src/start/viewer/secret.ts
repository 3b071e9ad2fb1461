const LENGTH_MIN = 16;
const DIFFERENT_MIN = 8;

/** Says what a secret must be. */
export const SECRET_RULE = `at least ${LENGTH_MIN} characters, ${DIFFERENT_MIN} of them different, and not a short text that is repeated`;

/**
 * Tells whether a secret is not obviously weak. No rule can tell that it is strong: `openssl rand -base64 32` makes one
 * that is.
 */
export function isStrongSecret(secret: string): boolean {
  return (
    secret.trim().length >= LENGTH_MIN &&
    new Set(secret).size >= DIFFERENT_MIN &&
    !isRepeated(secret)
  );
}

/** Tells whether a text repeats one that is too short itself: `abcdefghabcdefgh`, `1234567890123456`. */
function isRepeated(text: string): boolean {
  const lengthMax = Math.min(LENGTH_MIN - 1, Math.floor((text.length * 2) / 3));
  return Array.from({ length: lengthMax }, (_, index) => index + 1).some((length) =>
    text.startsWith(text.slice(length)),
  );
}
