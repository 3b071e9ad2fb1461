import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import { DigestMismatchError, InvalidInputError } from '../error.ts';
import { createDiskWatch } from '../viewer/room.ts';
import type { UploadDigest } from './digest.ts';

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
  /** Throws once another process may write to the upload: see `HeldUpload`. */
  check?: () => void;
}

/**
 * Appends a chunk to the staged bytes and advances the digest. Returns the new offset once the bytes are durable. The
 * caller still has to record the offset: until then the bytes are not acknowledged, and the next chunk overwrites them.
 * Throws InvalidInputError for a chunk that is empty, exceeds its limit or the end of the file, or has another size
 * than declared, DigestMismatchError for a chunk that was damaged on its way, and InsufficientStorageError.
 */
export async function stageChunk(
  ctx: Context,
  { blobKey, offsetBytes, totalBytes, check }: ChunkTarget,
  digest: UploadDigest,
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
      digest.update(bytes);
      own?.update(bytes);
      yield bytes;
    }
  }
  const options = { totalBytesMax: totalBytes, ...(check && { check }) };
  await ctx.staging.append(blobKey, offsetBytes, checked(), options);
  if (sizeBytes === 0) throw InvalidInputError.of('chunk', 'EMPTY', 'The chunk is empty.');
  if (chunk.sizeBytes !== undefined && chunk.sizeBytes !== sizeBytes) {
    throw sizeMismatch(chunk.sizeBytes, sizeBytes);
  }
  checkOwnDigest(chunk.md5, own?.digest('hex'));
  return offsetBytes + sizeBytes;
}

/** Bytes that tell the kind of a file. */
const HEAD_BYTES = 64 * 1024;

/** Keeps the first bytes of a chunk while they pass: staged bytes that go on growing may not be readable. */
export function createHead(bytes: Chunk['bytes']): {
  all: AsyncIterable<Uint8Array>;
  read(): Buffer;
} {
  const kept: Uint8Array[] = [];
  let restBytes = HEAD_BYTES;
  async function* all() {
    for await (const piece of bytes) {
      // A copy: the writer may reuse the piece.
      if (restBytes > 0) kept.push(Uint8Array.prototype.slice.call(piece, 0, restBytes));
      restBytes -= Math.min(piece.length, restBytes);
      yield piece;
    }
  }
  return { all: all(), read: () => Buffer.concat(kept) };
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
