import { detailsKindOf } from '../../media/file/details.ts';
import type { RenderedImage } from '../../media/render.ts';
import { listUrlNames } from '../../store/file/address.ts';
import {
  deleteFiles,
  type FileOfMediaRow,
  insertFile,
  listFilesByMediaIds,
  type NewMediaFileRow,
} from '../../store/file/file.ts';
import type { NewMediaJobRow } from '../../store/job/job.ts';
import { deleteRenditionsByFileIds } from '../../store/rendition/rendition.ts';
import type { FileRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import type { MadeBytes } from '../file/made-bytes.ts';
import { freeUrlName } from '../file/url-name.ts';
import { enqueueBlobDeletion, enqueueJob, newJobRow } from '../job/enqueue.ts';
import { existing } from '../viewer/access.ts';
import { SPEC_VERSION, toSource } from './plan.ts';

/** `file.created_role` of files that this server derives from an original. */
export const PROCESSOR = 'processor';

/** The columns of an original that are computed with the thumbnail, with the values that they have before. */
export const NOT_DERIVED = {
  color: null,
  thumbhash: null,
  has_alpha: null,
  is_animated: null,
  thumbnail_sizes: null,
} as const;

/** The columns of an original that `isDerived` reads. */
export type DerivedColumns = Pick<FileRow, keyof typeof NOT_DERIVED>;

/** Tells whether an original has its placeholder, and renditions of the sizes that are configured now. */
export function isDerived(ctx: Context, original: DerivedColumns): boolean {
  const { thumbnail_sizes, color, thumbhash, has_alpha, is_animated } = original;
  const hasPlaceholder = [color, thumbhash, has_alpha, is_animated].every((one) => one !== null);
  return hasPlaceholder && thumbnail_sizes === thumbnailSizesText(ctx);
}

/** Returns the value of `thumbnail_sizes` for an original that has all sizes: the version of their specs, and the widths. */
export function thumbnailSizesText({ settings }: Context): string {
  return `${SPEC_VERSION} ${settings.thumbnailSizes}`;
}

/** The key and file name of the preview that a decoder has drawn of an original. */
export const PREVIEW = 'preview.webp';

interface DerivedFile {
  /** Its key and file name. */
  name: string;
  image: RenderedImage;
  made: MadeBytes;
  color?: string | null;
}

/** Inserts a WebP that was derived from an original. Call it inside `transact`, with the node locked. */
export async function insertDerivedFile(
  ctx: Context,
  { media_id, dir, project_id }: FileOfMediaRow,
  { name, image, made, color = null }: DerivedFile,
): Promise<void> {
  const now = ctx.clock();
  await insertFile(ctx.db, {
    uuid: ctx.newId(),
    media_id,
    ...{ key: name, filename: name, extension: 'webp', mime_type: 'image/webp' },
    size_bytes: image.bytes.length,
    md5: made.md5,
    sha256: made.sha256,
    width: image.width,
    height: image.height,
    color,
    dir,
    url_name: freeUrlName(name, await listUrlNames(ctx.db, media_id)),
    blob_key: made.blobKey,
    created_by: null,
    created_role: PROCESSOR,
    project_id,
    created_at: now,
    updated_at: now,
  });
}

/** The columns of a new file that decide which jobs it needs. */
type JobColumns = Pick<FileRow, 'uuid' | 'key' | 'mime_type' | 'width' | 'height' | 'sha256'>;

type FileJob = 'make-rendition' | 'read-details' | 'draw-preview' | 'digest-file';

/**
 * Returns the classes of the jobs of a new file, whose argument is its uuid: the thumbnail and the details of an original
 * image, the details and the preview of another original, and the SHA-256 of a file that arrived in chunks.
 */
function jobsOf({ decoders }: Context, file: JobColumns): FileJob[] {
  const hasThumbnail = file.key === '' && toSource({ ...file, mimeType: file.mime_type }) !== null;
  const hasDetails = file.key === '' && detailsKindOf(file.mime_type) !== null;
  const jobs: FileJob[] = [];
  if (hasThumbnail) jobs.push('make-rendition');
  else if (hasDetails) jobs.push('read-details');
  // In a job of its own, because a file may wait a long time until it is drawn.
  const hasPreview = file.key === '' && decoders.decoderNameOf(file.mime_type) !== null;
  if (hasPreview && !hasThumbnail) jobs.push('draw-preview');
  if (file.sha256 === null) jobs.push('digest-file');
  return jobs;
}

/** Returns the rows of the jobs of a new file, whose media item is inserted by the same transaction. */
export function newFileJobs(ctx: Context, file: JobColumns & NewMediaFileRow): NewMediaJobRow[] {
  const { uuid: file_uuid, media_uuid } = file;
  return jobsOf(ctx, file).map((jobClass) => {
    const { media_id: _, ...row } = newJobRow(ctx, jobClass, { file_uuid });
    return { ...row, media_uuid };
  });
}

/** Enqueues the jobs of a new file. Call it inside `transact`. */
export async function enqueueFileJobs(
  ctx: Context,
  file: JobColumns & Pick<FileRow, 'media_id'>,
): Promise<void> {
  for (const jobClass of jobsOf(ctx, file)) {
    await enqueueJob(ctx, jobClass, { file_uuid: file.uuid }, { mediaId: file.media_id });
  }
}

/**
 * Deletes the thumbnail, the preview and the renditions of a media item, whose original is replaced; the caller sets the
 * columns of the original to `NOT_DERIVED`. Call it inside `transact`, with the node locked; `enqueueFileJobs` enqueues
 * jobs for new ones.
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
