import { z } from 'zod';
import { isUniqueViolation } from '../../store/error.ts';
import { findJobMedia, updateJobMedia } from '../../store/job/job.ts';
import type { Context } from '../context.ts';
import { ConflictError, InvalidInputError, NotFoundError } from '../error.ts';
import { parseInput, publicUrl } from '../input.ts';
import type { JobArguments } from '../job/class.ts';
import type { Job } from '../job/job.ts';
import { type StartJobInput, startJob, startOptions } from '../job/start.ts';
import { checkTags } from '../tag/tag.ts';
import { findFolder } from '../tree/folder.ts';
import { findMedia, type Media } from '../tree/media.ts';
import { authorize } from '../viewer/access.ts';
import { SYSTEM } from '../viewer/viewer.ts';
import { take } from './door.ts';
import { checkNamed, intoMedia } from './named-media.ts';
import { type NewMediaFields, newMediaInput } from './new-media.ts';
import { declaredLimit } from './policy.ts';
import { checkSize, fileLimit, lowestOf } from './size-limit.ts';
import { discardStaged, type IncomingFile, type StagedFile, stageFile } from './staging.ts';

const importInput = newMediaInput.omit({ type: true }).extend({
  ...startOptions,
  url: publicUrl,
  filename: z.string().max(255, 'At most 255 characters.').nullish(),
});

type Arguments = JobArguments<'import-url'>;

/** Input of `importUrl`. */
export type ImportInput = z.input<typeof importInput>;

/**
 * Starts a job that downloads a file and creates a media item from it, owned by the viewer. Returns the job. Throws
 * InvalidInputError, NotFoundError for the folder and the tags, the errors of `checkNamed`, and UnicityTakenError.
 */
export async function importUrl(ctx: Context, input: ImportInput): Promise<Job> {
  authorize(ctx, 'job.create');
  authorize(ctx, 'upload.write');
  const parsed = parseInput(importInput, input);
  const { url, filename, priority, unicity, scheduledAt, ...fields } = parsed;
  const { folderId, tagIds } = fields;
  const folder = folderId ? await findFolder(ctx, { id: folderId }) : null;
  if (folderId && folder === null) throw new NotFoundError('folder', folderId);
  await checkTags(ctx, tagIds ?? []);
  await checkNamed(ctx, fields);
  const args: Arguments = {
    ...toArguments(fields),
    url,
    ...(filename && { filename }),
    ...(folder && { folder_uuid: folder.uuid }),
    ...(tagIds?.length && { tags: tagIds }),
  };
  const options = { priority, unicity, scheduledAt };
  return requestJob(ctx, { jobClass: 'import-url', arguments: args, ...options });
}

/**
 * Starts a job for a client. Throws the errors of `startJob` and of `checkNamed`, and InvalidInputError for a folder or a
 * tag that the viewer cannot see.
 */
export function requestJob(ctx: Context, input: StartJobInput): Promise<Job> {
  return startJob(ctx, input, checkTarget);
}

/** Checks the folder, the name and the tags of the media item that the job will create. */
async function checkTarget(ctx: Context, args: object): Promise<void> {
  await checkFolder(ctx, args);
  await checkNamed(ctx, toFields(args)).catch((error) => {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(
      error.issues.map((issue) => ({
        ...issue,
        path: ['arguments', argumentOf(issue.path[0])],
      })),
    );
  });
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
  arguments: Omit<Arguments, 'url' | 'filename'>;
};

/** A file that is being downloaded. */
export interface RemoteFile extends IncomingFile {
  /** Size that its server declares; null if it declares none. */
  sizeBytes: number | null;
}

/**
 * Returns the media item that an earlier, interrupted run of a job has created, or has added its file to. Returns null if
 * there is none. Throws ConflictError if someone else has uploaded a file under the job's uuid, which everyone who can see
 * the job knows.
 */
export async function findImported(
  ctx: Context,
  { id, uuid, arguments: { resource } }: Import,
): Promise<Media | null> {
  // Also a private one of somebody else.
  const server = { ...ctx, viewer: SYSTEM };
  if (resource !== undefined) {
    const mediaId = await findJobMedia(ctx.db, id);
    return mediaId === null ? null : findMedia(server, { id: mediaId });
  }
  const media = await findMedia(server, { resource: uuid });
  if (media === null || media.owner === ctx.viewer.id) return media;
  throw new ConflictError('ALREADY_EXISTS', `Resource ${uuid} belongs to another user.`);
}

/**
 * Returns the id of the import's folder; null: unfiled. Throws NotFoundError if the folder or a tag has been deleted, and
 * the errors of `checkNamed`.
 */
export async function checkImport(
  ctx: Context,
  { arguments: args }: Import,
): Promise<number | null> {
  const { folder_uuid, tags = [] } = args;
  await checkTags(ctx, tags);
  await checkNamed(ctx, toFields(args));
  if (folder_uuid === undefined) return null;
  const folder = await findFolder(ctx, { uuid: folder_uuid });
  if (folder === null) throw new NotFoundError('folder', folder_uuid);
  return folder.id;
}

/**
 * Creates a media item from a file as it is downloaded. Its `resource` is the job's uuid, unless the job names another one,
 * so a job creates only one media item, however often it runs. A failure leaves no media item, and no bytes for longer than until the next sweep.
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
  const fields = { ...toFields(job.arguments), folderId, tagIds: job.arguments.tags ?? [] };
  const into = intoMedia(fields, {
    columns: { resource: job.uuid },
    alsoWrite: (ctx, id) => updateJobMedia(ctx.db, job.id, id),
  });
  try {
    return await take(ctx, [staged], into);
  } catch (error) {
    // A run that had lost its lease, and did not learn of it in time, may have been faster.
    const isTaken = isUniqueViolation(error) || error instanceof ConflictError;
    const media = isTaken ? await findImported(ctx, job) : null;
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

/** The fields of a media item that an import takes as they are, with their names among the arguments of its job. */
const ARGUMENTS = {
  visibility: 'visibility',
  name: 'name',
  sortOrder: 'sort_order',
  title: 'title',
  description: 'description',
  keywords: 'keywords',
  altText: 'alt_text',
  caption: 'caption',
  credit: 'credit',
  metadata: 'metadata',
  focalPoint: 'focal_point',
  crops: 'crops',
  resource: 'resource',
  key: 'key',
} as const satisfies Partial<Record<keyof NewMediaFields, keyof Arguments>>;

const NAMES = Object.entries(ARGUMENTS) as [keyof typeof ARGUMENTS, keyof Arguments][];

/** Returns the arguments of a job for the fields that have a value. */
function toArguments(fields: NewMediaFields): Partial<Arguments> {
  const given = NAMES.filter(([field]) => fields[field] !== null && fields[field] !== undefined);
  return Object.fromEntries(given.map(([field, name]) => [name, fields[field]]));
}

/** Returns the fields that the arguments of a job give. */
function toFields(args: Partial<Arguments>): NewMediaFields {
  return Object.fromEntries(NAMES.map(([field, name]) => [field, args[name]]));
}

/** Returns the name of the argument for a field. */
function argumentOf(field: string | number | undefined): string {
  return NAMES.find(([name]) => name === field)?.[1] ?? String(field);
}
