import { randomBytes } from 'node:crypto';

/** A name for new bytes: random, so that nothing a user gives becomes part of a path. */
export function newBlobKey(): string {
  return randomBytes(16).toString('hex');
}
