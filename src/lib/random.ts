import { randomFillSync } from 'node:crypto';

/** Bytes asked of the system at once: a call for a few costs as much as a call for many. */
const POOL_BYTES = 4096;

const pool = Buffer.alloc(POOL_BYTES);
let usedBytes = POOL_BYTES;

/** Returns cryptographically random bytes, at most 4096. Each is returned once and then forgotten. */
export function fewRandomBytes(countBytes: number): Buffer {
  if (usedBytes + countBytes > POOL_BYTES) {
    randomFillSync(pool);
    usedBytes = 0;
  }
  const own = pool.subarray(usedBytes, usedBytes + countBytes);
  usedBytes += countBytes;
  const bytes = Buffer.from(own);
  own.fill(0);
  return bytes;
}
