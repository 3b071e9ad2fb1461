import { createHash } from 'node:crypto';
import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { type FileOfMediaRow, findFileByUuid, updateFileSha256 } from '../../store/file/file.ts';
import { EVERYTHING } from '../../store/scope.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { type Context, transact } from '../context.ts';
import { mediaEvent } from '../event/event.ts';
import { FileGoneError } from './file.ts';

/** Who waits for a digest, if anybody. */
export interface DigestOptions {
  /** Ends it. */
  signal?: AbortSignal;
  /** Told how far it has come, 0 to 1. */
  onProgress?: (fraction: number) => void;
}

/**
 * Finds the SHA-256 of a stored file, if it is not known yet, in constant memory. Nothing becomes of a file
 * that is gone, or whose bytes are replaced meanwhile. Throws FileGoneError if its bytes are lost, and what
 * aborts the signal.
 */
export async function digestFile(
  ctx: Context,
  fileUuid: string,
  options: DigestOptions = {},
): Promise<void> {
  const file = await findFileByUuid(ctx.db, EVERYTHING, fileUuid);
  if (file === undefined || file.sha256 !== null) return;
  const sha256 = await digest(ctx, file, options);
  if (sha256 === null) return;
  await transact(ctx, async (ctx) => {
    const media = await findMediaById(ctx.db, EVERYTHING, file.media_id);
    if (media === undefined || !(await updateFileSha256(ctx.db, file, sha256))) return;
    ctx.events.publish(mediaEvent('updated', media));
  });
}

async function digest(
  ctx: Context,
  file: FileOfMediaRow,
  { signal, onProgress }: DigestOptions,
): Promise<string | null> {
  const bytes = await ctx.blobs.read(file.blob_key).catch(async (cause) => {
    if (!(cause instanceof BlobNotFoundError)) throw cause;
    const current = await findFileByUuid(ctx.db, EVERYTHING, file.uuid);
    if (current?.blob_key === file.blob_key) throw new FileGoneError(file, { cause });
    return null;
  });
  if (bytes === null) return null;
  const sha256 = createHash('sha256');
  let readBytes = 0;
  // Leaving the loop, also by a throw, closes what is read.
  for await (const piece of bytes) {
    signal?.throwIfAborted();
    sha256.update(piece);
    readBytes += piece.length;
    bytes.recycle?.(piece);
    onProgress?.(readBytes / file.size_bytes);
  }
  return sha256.digest('hex');
}
