import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { markDamaged } from '../../store/file/damage.ts';
import { type FileOfMediaRow, findFileByUuid, updateFileSha256 } from '../../store/file/file.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { type Context, transact } from '../context.ts';
import { mediaUpdate } from '../event/event.ts';
import { existing } from '../viewer/access.ts';
import { FileGoneError } from './file.ts';
import { readDigests } from './read-digests.ts';

/** Options of `digestFile`. */
export interface DigestOptions {
  /** Ends the reading early. */
  signal?: AbortSignal;
  /** Called with the fraction of the file that has been read, 0 to 1. */
  onProgress?: (fraction: number) => void;
}

/**
 * Computes and stores the SHA-256 of a file if it is not known yet, in constant memory. Does nothing if the file has
 * been deleted, or if its bytes are replaced meanwhile. Throws FileGoneError if its bytes are lost, and the reason of
 * an aborted signal.
 */
export async function digestFile(
  ctx: Context,
  fileUuid: string,
  options: DigestOptions = {},
): Promise<void> {
  const file = await findFileByUuid(ctx.db, existing(ctx), fileUuid);
  if (file === undefined || file.sha256 !== null) return;
  const sha256 = await digest(ctx, file, options);
  if (sha256 === null) return;
  await transact(ctx, async (ctx) => {
    const media = await findMediaById(ctx.db, existing(ctx), file.media_id);
    if (media === undefined || !(await updateFileSha256(ctx.db, file, sha256))) return;
    ctx.events.publish(mediaUpdate(media, 'details'));
  });
}

/** Returns the SHA-256; null if there is none to store: the file has other bytes by now, or its bytes are damaged. */
async function digest(
  ctx: Context,
  file: FileOfMediaRow,
  { signal, onProgress }: DigestOptions,
): Promise<string | null> {
  const onRead = (readBytes: number) => onProgress?.(readBytes / file.size_bytes);
  try {
    const found = await readDigests(ctx, file.blob_key, { signal, onRead });
    if (found.md5 === file.md5) return found.sha256;
  } catch (cause) {
    if (!(cause instanceof BlobNotFoundError)) throw cause;
    const current = await findFileByUuid(ctx.db, existing(ctx), file.uuid);
    if (current?.blob_key === file.blob_key) throw new FileGoneError(file, { cause });
    return null;
  }
  // The SHA-256 of wrong bytes would make them look right.
  ctx.log.error({ file: file.uuid }, 'the stored bytes of a file are damaged');
  await markDamaged(ctx.db, { kind: 'file', id: file.id, blobKey: file.blob_key }, ctx.clock());
  return null;
}
