import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { newBlobKey } from './blob-key.ts';

/** Bytes that were made here, in place and without a row. */
export interface MadeBytes {
  blobKey: string;
  md5: string;
  sha256: string;
}

/**
 * Stores bytes under a key of their own. Until a row names them they are the caller's to delete, or the
 * sweep's, if the process dies.
 */
export async function storeMadeBytes({ blobs }: Context, bytes: Buffer): Promise<MadeBytes> {
  const blobKey = newBlobKey();
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  async function* hashed() {
    for await (const piece of inPieces(bytes)) {
      md5.update(piece);
      sha256.update(piece);
      yield piece;
    }
  }
  try {
    await blobs.append(blobKey, 0, hashed());
    await blobs.commit(blobKey, bytes.length);
  } catch (error) {
    await blobs.discard(blobKey);
    throw error;
  }
  return { blobKey, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

/** The MD5 of bytes in memory, without keeping others waiting. */
export async function md5Of(bytes: Buffer): Promise<string> {
  const md5 = createHash('md5');
  for await (const piece of inPieces(bytes)) md5.update(piece);
  return md5.digest('hex');
}

/** Hashed in two milliseconds. */
const PIECE_BYTES = 2 ** 20;

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (at > 0) await setImmediate();
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}
