import { randomBytes } from 'node:crypto';

/** Returns a new key for bytes: random, so that no text from a user becomes part of a path. */
export function newBlobKey(): string {
  return randomBytes(16).toString('hex');
}
