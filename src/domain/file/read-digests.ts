import { createHash } from 'node:crypto';
import type { Services } from '../context.ts';

/** Options of `readDigests`. */
interface ReadOptions {
  /** Ends the reading early. */
  signal?: AbortSignal | undefined;
  /** Called after each piece of the bytes with the time that it took. (Default: does not wait) */
  rest?: ((tookMs: number) => Promise<unknown>) | undefined;
  /** Called after each piece with the number of bytes so far. */
  onRead?: (sizeBytes: number) => void;
}

/** The digests of stored bytes, in lower-case hex, and their number. */
export interface Digests {
  md5: string;
  sha256: string;
  sizeBytes: number;
}

/**
 * Reads all bytes of a blob in constant memory and returns their digests. Throws BlobNotFoundError, the error of the
 * disk, and the reason of an aborted signal.
 */
export async function readDigests(
  { blobs }: Pick<Services, 'blobs'>,
  blobKey: string,
  { signal, rest, onRead }: ReadOptions = {},
): Promise<Digests> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let sizeBytes = 0;
  let startedAt = performance.now();
  const bytes = await blobs.read(blobKey);
  // Leaving the loop closes the stream, also when it is left by an error.
  for await (const piece of bytes) {
    signal?.throwIfAborted();
    md5.update(piece);
    sha256.update(piece);
    sizeBytes += piece.length;
    bytes.recycle?.(piece);
    onRead?.(sizeBytes);
    await rest?.(performance.now() - startedAt);
    startedAt = performance.now();
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex'), sizeBytes };
}
