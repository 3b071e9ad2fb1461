import { createHash, type Hash } from 'node:crypto';
import type { Context } from '../context.ts';
import { DigestMismatchError, InvalidInputError } from '../error.ts';
import { createDiskWatch } from './room.ts';

/** The bytes of one chunk, and what the request declares about them. */
export interface Chunk {
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Size of the chunk, if the request declares it. */
  sizeBytes?: number | undefined;
  /** Limit of the dialect; absent: none. */
  sizeBytesMax?: number | undefined;
  /** MD5 of this chunk alone, lower-case hex. */
  md5?: string | undefined;
}

/** The upload that a chunk belongs to, and its place in it. */
export interface ChunkTarget {
  blobKey: string;
  offsetBytes: number;
  totalBytes: number;
}

/**
 * Appends a chunk to the staged bytes and advances the digest. Returns the new offset once the bytes are durable. The
 * caller still has to record the offset: until then the bytes are not acknowledged, and the next chunk overwrites them.
 * Throws InvalidInputError for a chunk that is empty, exceeds its limit or the end of the file, or has another size
 * than declared, DigestMismatchError for a chunk that was damaged on its way, and InsufficientStorageError.
 */
export async function stageChunk(
  ctx: Context,
  { blobKey, offsetBytes, totalBytes }: ChunkTarget,
  digest: Hash,
  chunk: Chunk,
): Promise<number> {
  const restBytes = totalBytes - offsetBytes;
  const { sizeBytesMax = Number.POSITIVE_INFINITY } = chunk;
  const watchDisk = createDiskWatch(ctx);
  const own = chunk.md5 === undefined ? null : createHash('md5');
  let sizeBytes = 0;
  async function* checked() {
    for await (const bytes of chunk.bytes) {
      sizeBytes += bytes.length;
      if (sizeBytes > sizeBytesMax) throw tooBig(sizeBytesMax);
      if (sizeBytes > restBytes) throw pastEnd(totalBytes);
      await watchDisk(bytes.length);
      ctx.observer.bytesReceived(bytes.length);
      digest.update(bytes);
      own?.update(bytes);
      yield bytes;
    }
  }
  await ctx.staging.append(blobKey, offsetBytes, checked());
  if (sizeBytes === 0) throw InvalidInputError.of('chunk', 'EMPTY', 'The chunk is empty.');
  if (chunk.sizeBytes !== undefined && chunk.sizeBytes !== sizeBytes) {
    throw sizeMismatch(chunk.sizeBytes, sizeBytes);
  }
  checkOwnDigest(chunk.md5, own?.digest('hex'));
  return offsetBytes + sizeBytes;
}

function checkOwnDigest(expected: string | undefined, actual: string | undefined): void {
  if (expected === undefined || actual === undefined || expected === actual) return;
  throw new DigestMismatchError(expected, actual);
}

function pastEnd(totalBytes: number): InvalidInputError {
  const message = `The chunk exceeds the end of the file, which has ${totalBytes} bytes.`;
  return InvalidInputError.of('chunk', 'PAST_END', message);
}

function tooBig(limitBytes: number): InvalidInputError {
  return InvalidInputError.of('chunk', 'TOO_BIG', `A chunk has at most ${limitBytes} bytes.`);
}

function sizeMismatch(declared: number, actual: number): InvalidInputError {
  const message = `The chunk has ${actual} bytes, not ${declared} as declared.`;
  return InvalidInputError.of('chunk', 'SIZE_MISMATCH', message);
}
