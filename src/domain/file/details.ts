import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { type ByteSource, detailsKindOf, type FileDetails } from '../../media/file/details.ts';
import { type FileOfMediaRow, findFileByUuid } from '../../store/file/file.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { mediaUpdate } from '../event/event.ts';
import { existing } from '../viewer/access.ts';
import { blobSource } from './blob-source.ts';
import { FileGoneError } from './file.ts';

/** Details of a file that says nothing of itself, as they are stored. */
export const NO_DETAILS = '{}';

/** The columns that jobs fill for an original, before they have run. */
export const UNREAD = {
  details: null,
  taken_at: null,
  duration_ms: null,
  latitude: null,
  longitude: null,
  preview_error: null,
} as const;

/**
 * Returns the initial values of the columns that jobs fill for a new original. Files of most types have no details: theirs
 * are stored as empty at once, without a job.
 */
export function newDetailsColumns(mimeType: string) {
  return { ...UNREAD, details: detailsKindOf(mimeType) === null ? NO_DETAILS : null };
}

/**
 * Reads what an original says of itself, and stores it with its media item, unless that has been done and is not to be
 * done again. Does nothing if the file is not an original, or deleted. May be repeated after a crash at any point. Throws FileGoneError if the bytes
 * are lost, and the reason of `signal`. The change does not count as one of the media item: `updatedAt` stays.
 */
export async function readDetails(
  ctx: Context,
  fileUuid: string,
  { signal, isAgain = false }: { signal?: AbortSignal; isAgain?: boolean | undefined } = {},
): Promise<void> {
  const file = await findFileByUuid(ctx.db, existing(ctx), fileUuid);
  if (file === undefined || file.key !== '') return;
  const media = await findMediaById(ctx.db, existing(ctx), file.media_id);
  if (media === undefined || (media.details !== null && !isAgain)) return;
  if (file.damaged_at !== null) throw new FileGoneError(file);
  const details = await read(ctx, file, signal);
  if (details !== null) await transact(ctx, (ctx) => write(ctx, file, details));
}

/** Returns null if the file has been deleted or replaced; a replacement enqueues a job for its own details. */
async function read(
  ctx: Context,
  file: FileOfMediaRow,
  signal: AbortSignal | undefined,
): Promise<FileDetails | null> {
  const kind = detailsKindOf(file.mime_type);
  if (kind === null) return {};
  try {
    return await ctx.detailsReader.read(toSource(ctx, file), kind, signal);
  } catch (cause) {
    if (!(cause instanceof BlobNotFoundError)) throw cause;
    const current = await findFileByUuid(ctx.db, existing(ctx), file.uuid);
    if (current?.blob_key === file.blob_key) throw new FileGoneError(file, { cause });
    return null;
  }
}

function toSource({ blobs }: Context, file: FileOfMediaRow): ByteSource {
  return blobSource(blobs, { blobKey: file.blob_key, sizeBytes: file.size_bytes });
}

/** Does nothing if the original has been replaced or deleted meanwhile. */
async function write(ctx: Context, before: FileOfMediaRow, details: FileDetails): Promise<void> {
  await lockNode(ctx.db, before.media_id);
  const file = await findFileByUuid(ctx.db, existing(ctx), before.uuid);
  if (file?.blob_key !== before.blob_key) return;
  const media = await updateNode(ctx.db, existing(ctx), before.media_id, {
    details: JSON.stringify(details),
    taken_at: details.takenAt ?? null,
    duration_ms: details.durationMs ?? null,
    latitude: details.latitude ?? null,
    longitude: details.longitude ?? null,
  });
  ctx.events.publish(mediaUpdate(media, 'details'));
}
