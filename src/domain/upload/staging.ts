import { createHash } from 'node:crypto';
import { cleanFilename } from '../../lib/filename.ts';
import type { Context } from '../context.ts';
import { DigestMismatchError, InvalidInputError, type SizeLimit } from '../error.ts';
import { newBlobKey } from '../file/blob-key.ts';
import { authorize } from '../viewer/access.ts';
import { openRoom } from '../viewer/room.ts';
import { checkSize, fileLimit } from './size-limit.ts';

/** The properties that a request declares for a file. */
export interface DeclaredFile {
  filename: string;
  /** The content type of the part or the request; null if there is none. */
  declaredType: string | null;
}

/** A file whose bytes are still arriving. */
export interface IncomingFile extends DeclaredFile {
  bytes: AsyncIterable<Uint8Array>;
}

/** A file whose bytes have arrived. No row refers to them. */
export interface StagedFile extends DeclaredFile {
  blobKey: string;
  /** The bytes of a small file, which are not staged: nothing promises them before its rows are written. */
  content?: Buffer;
  /** Name cleaned by `cleanFilename`; empty if the request gave none. */
  filename: string;
  sizeBytes: number;
  md5: string;
  /** Null if the bytes came in several requests. */
  sha256: string | null;
  /** Key of the file within its media item; empty: the original. */
  key: string;
  /** The bytes belong to an upload session: if they are refused, they stay, and the session can be completed again. */
  isKeptWhenRefused?: true | undefined;
}

/** Options of `stageFile`. */
export interface StageOptions {
  /** (Default: the limit for any file) */
  limit?: SizeLimit;
  /** MD5 that the bytes must have, in lower-case hex. */
  md5?: string | null | undefined;
}

/**
 * A file of at most this size stays in memory until it is stored: that saves half of its system calls. As much of a
 * larger file is in memory while it is being written.
 */
const CONTENT_BYTES_MAX = 128 * 1024;

/** Pieces that are held apart. A client that sends single bytes would otherwise take a hundred times their size. */
const PIECES_MAX = 64;

/**
 * Stages the bytes of a whole file, and counts and hashes them on the way. A small file stays in memory. Leaves nothing
 * behind if it fails. Throws TooLargeError, QuotaExceededError, InsufficientStorageError, DigestMismatchError, and
 * InvalidInputError for an empty file.
 */
export async function stageFile(
  ctx: Context,
  source: AsyncIterable<Uint8Array>,
  { filename, declaredType }: DeclaredFile,
  { limit = fileLimit(ctx.settings), md5: expected }: StageOptions = {},
): Promise<StagedFile> {
  authorize(ctx, 'upload.write');
  const room = await openRoom(ctx);
  const blobKey = newBlobKey();
  const digests = { md5: createHash('md5'), sha256: createHash('sha256') };
  let sizeBytes = 0;
  async function* counted() {
    for await (const bytes of source) {
      sizeBytes += bytes.length;
      checkSize(sizeBytes, limit);
      await room.take(bytes.length);
      digests.md5.update(bytes);
      digests.sha256.update(bytes);
      yield bytes;
    }
    if (sizeBytes === 0) throw InvalidInputError.of('file', 'EMPTY', 'The file is empty.');
  }
  try {
    const content = await holdSmall(counted(), (bytes) =>
      ctx.staging.append(blobKey, 0, bytes, { totalBytesMax: limit.bytes }),
    );
    const md5 = digests.md5.digest('hex');
    if (expected && expected !== md5) throw new DigestMismatchError(expected, md5);
    const sha256 = digests.sha256.digest('hex');
    const name = cleanFilename(filename);
    const file = { blobKey, sizeBytes, md5, sha256, key: '', filename: name, declaredType };
    return content === null ? file : { ...file, content };
  } catch (error) {
    await ctx.staging.discard(blobKey);
    throw error;
  } finally {
    room.leave();
  }
}

/** Returns all bytes of a small source. Hands those of a larger one to `stage`, and returns null. */
async function holdSmall(
  source: AsyncGenerator<Uint8Array>,
  stage: (bytes: AsyncIterable<Uint8Array>) => Promise<unknown>,
): Promise<Buffer | null> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  while (heldBytes <= CONTENT_BYTES_MAX) {
    const { done, value } = await source.next();
    if (done) return Buffer.concat(held, heldBytes);
    held.push(value);
    heldBytes += value.length;
    if (held.length === PIECES_MAX) held = [Buffer.concat(held, heldBytes)];
  }
  async function* all() {
    yield* held.splice(0);
    yield* source;
  }
  try {
    await stage(all());
  } finally {
    await source.return(undefined);
  }
  return null;
}

/** Returns the staged file under another name, for a name that was not known when the bytes arrived. */
export function withFilename(staged: StagedFile, filename: string): StagedFile {
  return { ...staged, filename: cleanFilename(filename) };
}

/** Deletes the bytes of files that were never handed to `take`. */
export async function discardStaged(
  { staging }: Context,
  files: readonly StagedFile[],
): Promise<void> {
  for (const { blobKey } of files) await staging.discard(blobKey);
}
