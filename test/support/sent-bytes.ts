import type { BlobBytes } from '../../src/blob/memory.ts';

/** Returns all bytes of a body, whether it is a stream or in memory. */
export async function sentBytes(body: BlobBytes): Promise<Buffer> {
  return 'toArray' in body ? Buffer.concat(await body.toArray()) : body;
}
