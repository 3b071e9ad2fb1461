const KEY = /^[0-9a-f]{32}$/;

/** Tells whether a name has the form of a blob key: 32 lower-case hexadecimal characters. */
export function isBlobKey(name: string): boolean {
  return KEY.test(name);
}

/**
 * Returns the key unchanged; throws a plain Error if it is not a blob key. Every path is built behind this check. A
 * malformed key is a bug: this server creates all keys, so no client can cause it.
 */
export function requireBlobKey(key: string): string {
  if (!isBlobKey(key)) throw new Error(`Not a blob key: ${JSON.stringify(key)}`);
  return key;
}
