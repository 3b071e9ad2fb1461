import { z } from 'zod';
import { isUniqueViolation } from '../../store/error.ts';
import { updateJobMedia } from '../../store/job/job.ts';
import type { Context } from '../context.ts';
import { ConflictError, InvalidInputError, NotFoundError, TooLargeError } from '../error.ts';
import { idList, parseInput, publicUrl } from '../input.ts';
import type { JobArguments } from '../job/class.ts';
import type { Job } from '../job/job.ts';
import { type StartJobInput, startJob } from '../job/start.ts';
import { checkTags } from '../tag/tag.ts';
import { findFolder } from '../tree/folder.ts';
import { findMedia, type Media } from '../tree/media.ts';
import { authorize } from '../viewer/access.ts';
import { ingest, type StagedFile } from './ingest.ts';
import { declaredLimitBytes } from './media-type.ts';
import { discardRefused, discardStaged, type FileClaim, stageFile } from './staging.ts';

const importInput = z.object({
  url: publicUrl,
  filename: z.string().max(255, 'At most 255 characters.').nullish(),
  folderId: z.int().nullish(),
  tagIds: idList.nullish(),
});

/** Input of `importUrl`. */
export type ImportInput = z.input<typeof importInput>;

/**
 * Has a file fetched and made a media of, whose owner is the viewer. Answers the job that does it. Throws
 * InvalidInputError, NotFoundError for folder and tags.
 */
export async function importUrl(ctx: Context, input: ImportInput): Promise<Job> {
  authorize(ctx, 'job.create');
  authorize(ctx, 'upload.write');
  const { url, filename, folderId, tagIds } = parseInput(importInput, input);
  const folder = folderId ? await findFolder(ctx, { id: folderId }) : null;
  if (folderId && folder === null) throw new NotFoundError('folder', folderId);
  await checkTags(ctx, tagIds ?? []);
  const args: JobArguments<'import-url'> = {
    url,
    ...(filename && { filename }),
    ...(folder && { folder_uuid: folder.uuid }),
    ...(tagIds?.length && { tags: tagIds }),
  };
  return requestJob(ctx, { jobClass: 'import-url', arguments: args });
}

/**
 * Starts a job for a client. Throws what `startJob` throws, and InvalidInputError for a folder or a tag that
 * the viewer cannot see.
 */
export function requestJob(ctx: Context, input: StartJobInput): Promise<Job> {
  return startJob(ctx, input, checkTarget);
}

/** What is to be a media must have a place to go to. */
async function checkTarget(ctx: Context, args: object): Promise<void> {
  await checkFolder(ctx, args);
  if (!('tags' in args) || !Array.isArray(args.tags)) return;
  await checkTags(ctx, args.tags).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error;
    const path = ['arguments', 'tags'];
    throw new InvalidInputError([{ path, code: 'NOT_FOUND', message: error.message }]);
  });
}

/** Its run knows who started it, and nothing of what the start nodes of a credential were by then. */
async function checkFolder(ctx: Context, args: object): Promise<void> {
  if (!('folder_uuid' in args) || typeof args.folder_uuid !== 'string') return;
  if ((await findFolder(ctx, { uuid: args.folder_uuid })) !== null) return;
  const message = `There is no folder "${args.folder_uuid}".`;
  const path = ['arguments', 'folder_uuid'];
  throw new InvalidInputError([{ path, code: 'NOT_FOUND', message }]);
}

/** The job that imports, and where to. */
export type Import = Pick<Job, 'id' | 'uuid'> & {
  arguments: Pick<JobArguments<'import-url'>, 'folder_uuid' | 'tags'>;
};

/** A file from elsewhere, as it arrives. */
export interface RemoteFile extends FileClaim {
  bytes: AsyncIterable<Uint8Array>;
  /** As its server says. */
  sizeBytes: number | null;
}

/**
 * What an earlier run of a job has imported that did not come to its end; null: nothing. Throws ConflictError for
 * what somebody else has uploaded under the job's uuid, which everybody who sees the job knows.
 */
export async function findImported(ctx: Context, { uuid }: Import): Promise<Media | null> {
  const media = await findMedia(ctx, { resource: uuid });
  if (media === null || media.owner === ctx.viewer.id) return media;
  throw new ConflictError('ALREADY_EXISTS', `Resource ${uuid} is somebody else’s.`);
}

/** Throws NotFoundError if there is no place for it any more. Answers the id of its folder; null: unfiled. */
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
 * Makes a media of a file from elsewhere as it arrives; its `resource` is the job's uuid, so that there is one of
 * each job, however often it runs. What fails leaves no media, and no bytes for longer than until the sweep.
 * Throws TooLargeError, UnsupportedMediaError, InvalidInputError, NotFoundError, and what aborts the signal.
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
    title: null,
    description: null,
    tagIds: job.arguments.tags ?? [],
    columns: { resource: job.uuid },
  };
  const make = () =>
    ingest(ctx, staged, request, (ctx, mediaId) => updateJobMedia(ctx.db, job.id, mediaId));
  try {
    return await discardRefused(ctx, staged, make);
  } catch (error) {
    const media = isUniqueViolation(error) ? await findImported(ctx, job) : null;
    if (media === null) throw error;
    // A run that had lost its lease, and was not told so in time, has been quicker.
    await discardStaged(ctx, staged);
    return media;
  }
}

/** What is too large is not fetched to its end. */
async function stage(
  ctx: Context,
  { bytes, sizeBytes, ...claim }: RemoteFile,
  signal: AbortSignal,
): Promise<StagedFile> {
  const { settings } = ctx;
  const limitBytes = Math.min(
    settings.fileBytesMax,
    declaredLimitBytes(settings, claim.declaredType),
  );
  if (sizeBytes !== null && sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
  const staged = await stageFile(ctx, limited(bytes, limitBytes), claim);
  if (!signal.aborted) return staged;
  await discardStaged(ctx, staged);
  throw signal.reason;
}

async function* limited(bytes: AsyncIterable<Uint8Array>, limitBytes: number) {
  let sizeBytes = 0;
  for await (const piece of bytes) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
    yield piece;
  }
}
