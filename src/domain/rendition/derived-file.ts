import { deleteFiles, listFilesByMediaIds } from '../../store/file/file.ts';
import { deleteRenditionsByFileIds } from '../../store/rendition/rendition.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { FileRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { enqueueBlobDeletion, enqueueJob } from '../job/enqueue.ts';
import { toSource } from './plan.ts';

/** `file.created_role` of what this server has made of an original. */
export const PROCESSOR = 'processor';

/** Of a file that has just come, what tells what is to be done with it. */
type NewFile = Pick<
  FileRow,
  'uuid' | 'media_id' | 'key' | 'mime_type' | 'width' | 'height' | 'sha256'
>;

/**
 * Has the thumbnail of an original made, and a file digested that was not seen in one run. For inside of
 * `transact`.
 */
export async function enqueueFileJobs(ctx: Context, file: NewFile): Promise<void> {
  const { uuid: file_uuid, media_id: mediaId, key, mime_type: mimeType, sha256 } = file;
  if (key === '' && toSource({ ...file, mimeType }) !== null) {
    await enqueueJob(ctx, 'make-rendition', { file_uuid }, { mediaId });
  }
  if (sha256 === null) await enqueueJob(ctx, 'digest-file', { file_uuid }, { mediaId });
}

/**
 * Removes what was made of the original of a media: its thumbnail and its renditions. For inside of
 * `transact`, under the lock of the media, where its bytes are replaced: `enqueueFileJobs` has new ones made.
 */
export async function dropDerivedFiles(ctx: Context, mediaId: number): Promise<void> {
  const files = await listFilesByMediaIds(ctx.db, EVERYTHING, [mediaId]);
  const made = files.filter(({ key, created_role }) => key !== '' && created_role === PROCESSOR);
  const ids = files.filter((file) => file.key === '' || made.includes(file)).map(({ id }) => id);
  const renditions = await deleteRenditionsByFileIds(ctx.db, ids);
  await deleteFiles(
    ctx.db,
    made.map(({ id }) => id),
  );
  await enqueueBlobDeletion(ctx, [...made.map(({ blob_key }) => blob_key), ...renditions]);
}
