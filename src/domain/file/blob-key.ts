import { fewRandomBytes } from '../../lib/random.ts';

/** Bytes that decide the directory of a blob: see `createFileBlobStore`. */
const SHARD_BYTES = 2;

/**
 * Successive keys with the same directory. One flush then makes the names of all files durable that are stored at the
 * same time, and few directories have to be created.
 */
const KEYS_PER_SHARD = 256;

let shard = '';
let count = 0;

/**
 * Returns a new key for bytes, with 112 bits that no other key has: random, so that no text from a user becomes part of
 * a path.
 */
export function newBlobKey(): string {
  if (count++ % KEYS_PER_SHARD === 0) shard = fewRandomBytes(SHARD_BYTES).toString('hex');
  return shard + fewRandomBytes(16 - SHARD_BYTES).toString('hex');
}
