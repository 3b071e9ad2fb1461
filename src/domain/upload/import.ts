import { z } from 'zod';
import { isUniqueViolation } from '../../store/error.ts';
import { updateJobMedia } from '../../store/job/job.ts';
import type { Context } from '../context.ts';
import { ConflictError, InvalidInputError, NotFoundError } from '../error.ts';
import { idList, parseInput, publicUrl } from '../input.ts';
import type { JobArguments } from '../job/class.ts';
import type { Job } from '../job/job.ts';
import { type StartJobInput, startJob } from '../job/start.ts';
import { checkTags } from '../tag/tag.ts';
import { findFolder } from '../tree/folder.ts';
import { findMedia, type Media } from '../tree/media.ts';
import { visibilityInput } from '../tree/visibility.ts';
import { authorize } from '../viewer/access.ts';
import { SYSTEM } from '../viewer/viewer.ts';
import { take } from './door.ts';
import { intoNewMedia } from './new-media.ts';
import { declaredLimit } from './policy.ts';
import { checkSize, fileLimit, lowestOf } from './size-limit.ts';
import { discardStaged, type IncomingFile, type StagedFile, stageFile } from './staging.ts';

const importInput = z.object({
  url: publicUrl,
  filename: z.string().max(255, 'At most 255 characters.').nullish(),
  folderId: z.int().nullish(),
  tagIds: idList.nullish(),
  visibility: visibilityInput.nullish(),
});

/** Input of `importUrl`. */
export type ImportInput = z.input<typeof importInput>;

/**
 * Starts a job that downloads a file and creates a media item from it, owned by the viewer. Returns the job. Throws
 * InvalidInputError, and NotFoundError for the folder and the tags.
 */
export async function importUrl(ctx: Context, input: ImportInput): Promise<Job> {
  authorize(ctx, 'job.create');
  authorize(ctx, 'upload.write');
  const { url, filename, folderId, tagIds, visibility } = parseInput(importInput, input);
  const folder = folderId ? await findFolder(ctx, { id: folderId }) : null;
  if (folderId && folder === null) throw new NotFoundError('folder', folderId);
  await checkTags(ctx, tagIds ?? []);
  const args: JobArguments<'import-url'> = {
    url,
    ...(filename && { filename }),
    ...(folder && { folder_uuid: folder.uuid }),
    ...(tagIds?.length && { tags: tagIds }),
    ...(visibility && { visibility }),
  };
  return requestJob(ctx, { jobClass: 'import-url', arguments: args });
}

/**
 * Starts a job for a client. Throws the errors of `startJob`, and InvalidInputError for a folder or a tag that the
 * viewer cannot see.
 */
export function requestJob(ctx: Context, input: StartJobInput): Promise<Job> {
  return startJob(ctx, input, checkTarget);
}

/** Checks the folder and the tags of the media item that the job will create. */
async function checkTarget(ctx: Context, args: object): Promise<void> {
  await checkFolder(ctx, args);
  if (!('tags' in args) || !Array.isArray(args.tags)) return;
  await checkTags(ctx, args.tags).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error;
    const path = ['arguments', 'tags'];
    throw new InvalidInputError([{ path, code: 'NOT_FOUND', message: error.message }]);
  });
}

/**
 * Checks the folder before the job exists, because its run knows who started it but not the start nodes of the
 * credential.
 */
async function checkFolder(ctx: Context, args: object): Promise<void> {
  if (!('folder_uuid' in args) || typeof args.folder_uuid !== 'string') return;
  if ((await findFolder(ctx, { uuid: args.folder_uuid })) !== null) return;
  const message = `There is no folder "${args.folder_uuid}".`;
  const path = ['arguments', 'folder_uuid'];
  throw new InvalidInputError([{ path, code: 'NOT_FOUND', message }]);
}

/** An import job, and the place of its media item. */
export type Import = Pick<Job, 'id' | 'uuid'> & {
  arguments: Pick<JobArguments<'import-url'>, 'folder_uuid' | 'tags' | 'visibility'>;
};

/** A file that is being downloaded. */
export interface RemoteFile extends IncomingFile {
  /** Size that its server declares; null if it declares none. */
  sizeBytes: number | null;
}

/**
 * Returns the media item that an earlier, interrupted run of a job has created. Returns null if it created none. Throws
 * ConflictError if someone else has uploaded a file under the job's uuid, which everyone who can see the job knows.
 */
export async function findImported(ctx: Context, { uuid }: Import): Promise<Media | null> {
  // Also a private one of somebody else.
  const media = await findMedia({ ...ctx, viewer: SYSTEM }, { resource: uuid });
  if (media === null || media.owner === ctx.viewer.id) return media;
  throw new ConflictError('ALREADY_EXISTS', `Resource ${uuid} belongs to another user.`);
}

/**
 * Returns the id of the import's folder; null: unfiled. Throws NotFoundError if the folder or a tag has been deleted.
 */
export async function checkImport(
  ctx: Context,
  { arguments: { folder_uuid, tags = [] } }: Import,
): Promise<number | null> {
  await checkTags(ctx, tags);
  if (folder_uuid === undefined) return null;
  const folder = await findFolder(ctx, { uuid: folder_uuid });
  if (folder === null) throw new NotFoundError('folder', folder_uuid);
  return folder.id;
}

/**
 * Creates a media item from a file as it is downloaded. Its `resource` is the job's uuid, so a job creates only one
 * media item, however often it runs. A failure leaves no media item, and no bytes for longer than until the next sweep.
 * Throws TooLargeError, UnsupportedMediaError, InvalidInputError, NotFoundError, and the reason of an aborted signal.
 */
export async function importFile(
  ctx: Context,
  job: Import,
  file: RemoteFile,
  signal: AbortSignal,
): Promise<Media> {
  const folderId = await checkImport(ctx, job);
  const staged = await stage(ctx, file, signal);
  const request = {
    type: null,
    folderId,
    tagIds: job.arguments.tags ?? [],
    visibility: job.arguments.visibility ?? null,
    columns: { resource: job.uuid },
  };
  const into = intoNewMedia(request, (ctx, id) => updateJobMedia(ctx.db, job.id, id));
  try {
    return await take(ctx, [staged], into);
  } catch (error) {
    // A run that had lost its lease, and did not learn of it in time, may have been faster.
    const media = isUniqueViolation(error) ? await findImported(ctx, job) : null;
    if (media === null) throw error;
    return media;
  }
}

/** Stages the download, and stops it at the size limit. */
async function stage(
  ctx: Context,
  { bytes, sizeBytes, ...declared }: RemoteFile,
  signal: AbortSignal,
): Promise<StagedFile> {
  const { settings } = ctx;
  const limit = lowestOf([fileLimit(settings), declaredLimit(settings, declared.declaredType)]);
  checkSize(sizeBytes ?? 0, limit);
  const staged = await stageFile(ctx, bytes, declared, { limit });
  if (!signal.aborted) return staged;
  await discardStaged(ctx, [staged]);
  throw signal.reason;
}
