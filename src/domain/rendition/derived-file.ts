import { deleteFiles, listFilesByMediaIds } from '../../store/file/file.ts';
import { deleteRenditionsByFileIds } from '../../store/rendition/rendition.ts';
import type { FileRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { enqueueBlobDeletion, enqueueJob } from '../job/enqueue.ts';
import { existing } from '../viewer/access.ts';
import { toSource } from './plan.ts';

/** `file.created_role` of files that this server derives from an original. */
export const PROCESSOR = 'processor';

/** The columns of a new file that decide which jobs it needs. */
type NewFile = Pick<
  FileRow,
  'uuid' | 'media_id' | 'key' | 'mime_type' | 'width' | 'height' | 'sha256'
>;

/**
 * Enqueues the jobs of a new file: the thumbnail of an original, and the SHA-256 of a file that arrived in chunks. Call
 * it inside `transact`.
 */
export async function enqueueFileJobs(ctx: Context, file: NewFile): Promise<void> {
  const { uuid: file_uuid, media_id: mediaId, key, mime_type: mimeType, sha256 } = file;
  if (key === '' && toSource({ ...file, mimeType }) !== null) {
    await enqueueJob(ctx, 'make-rendition', { file_uuid }, { mediaId });
  }
  if (sha256 === null) await enqueueJob(ctx, 'digest-file', { file_uuid }, { mediaId });
}

/**
 * Deletes the thumbnail and the renditions of a media item, whose original is replaced. Call it inside `transact`, with
 * the node locked; `enqueueFileJobs` enqueues a job for a new thumbnail.
 */
export async function dropDerivedFiles(ctx: Context, mediaId: number): Promise<void> {
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [mediaId]);
  const made = files.filter(({ key, created_role }) => key !== '' && created_role === PROCESSOR);
  const ids = files.filter((file) => file.key === '' || made.includes(file)).map(({ id }) => id);
  const renditions = await deleteRenditionsByFileIds(ctx.db, ids);
  await deleteFiles(
    ctx.db,
    made.map(({ id }) => id),
  );
  await enqueueBlobDeletion(ctx, [...made.map(({ blob_key }) => blob_key), ...renditions]);
}
