import { isUrlNameTaken, listUrlNames } from '../../store/file/address.ts';
import { findDir, findFileByKey, listFilesByMediaIds } from '../../store/file/file.ts';
import { EVERYTHING, isInScope } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import { findTrashedResource } from '../../store/trash/row.ts';
import { listDeletions } from '../../store/tree/deletion.ts';
import { findMediaById, findMediaByResource } from '../../store/tree/media.ts';
import { insertNode, lockNode, updateNode } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { ConflictError, ForbiddenError, InvalidInputError } from '../error.ts';
import { mediaEvent, mediaUpdate } from '../event/event.ts';
import { newDetailsColumns } from '../file/details.ts';
import { type ResourceFile, toResourceFile } from '../file/resource.ts';
import { freeUrlName } from '../file/url-name.ts';
import { newDir } from '../tree/address.ts';
import { nodeTarget } from '../tree/node.ts';
import { UNFILED } from '../tree/place.ts';
import { removeNodes } from '../tree/removal.ts';
import { visibilityOfNew } from '../tree/visibility.ts';
import { authorizeOwner, existing, isAllowedForOwner, isVisible } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import type { ExaminedFile, Into } from './door.ts';
import { insertFileRow, newMediaRow } from './file-row.ts';
import { FILE_TYPES, type Policy } from './policy.ts';
import type { StagedFile } from './staging.ts';

/** The resource that files are added to. */
export interface ResourceTarget {
  resource: string;
  /** Id of a project in another system; null: none. */
  projectId: string | null;
  /** What the files must be. (Default: anything; the content decides the type) */
  policy?: Policy;
  /** Inserts the media item, if it does not exist. (Default: an unfiled one that is named after its original) */
  insert?: (ctx: Context, main: ExaminedFile) => Promise<NodeRow>;
  /** Throws if the files may not be added to a media item that exists. (Default: they may) */
  checkExisting?: () => void;
}

/** Files that have been added to a media item. */
export interface AddedFiles {
  media: NodeRow;
  files: ResourceFile[];
}

/**
 * Creates a destination: the files of a resource, under their keys. The resource is created if it does not exist.
 * `finish` runs in the same transaction, and its result is the result. Throws ConflictError ALREADY_EXISTS, and the
 * errors of `findResource`.
 */
export function intoResource<T>(
  target: ResourceTarget,
  files: readonly StagedFile[],
  finish: (ctx: Context, added: AddedFiles) => T | Promise<T>,
): Into<T> {
  return async (ctx) => ({
    items: (await findMediaByResource(ctx.db, EVERYTHING, target.resource)) === undefined ? 1 : 0,
    policy: target.policy ?? { type: null },
    files,
    write: async (ctx, examined) =>
      finish(ctx, await insertRows(ctx, target, withOwnNames(examined, files))),
    // Two files of this very request, or a race that another request has won.
    conflict: () => alreadyExists(target.resource, files[0]?.key ?? ''),
  });
}

/**
 * Returns the row of a resource, locked until the end of the transaction if there is one; null if it does not exist.
 * Throws ConflictError for a key that it has, InvalidInputError for the original of a link, ForbiddenError for the
 * resource of another user, also of one in the trash.
 */
export async function findResource(
  ctx: Context,
  resource: string,
  keys: readonly string[],
): Promise<NodeRow | null> {
  const found = await findMediaByResource(ctx.db, EVERYTHING, resource);
  if (found === undefined) {
    await refuseTrashed(ctx, resource);
    return null;
  }
  if (!isInScope(existing(ctx), found)) {
    // A job will delete it, but the new file needs its name now.
    if (ctx.db.isTransaction) await removeNodes(ctx, [found], await listDeletions(ctx.db));
    return null;
  }
  if (ctx.db.isTransaction) await lockNode(ctx.db, found.id);
  const media = await findMediaById(ctx.db, existing(ctx), found.id);
  if (media === undefined) return null;
  if (!isVisible(ctx, media)) throw new ForbiddenError();
  for (const key of keys) {
    if (await findFileByKey(ctx.db, existing(ctx), media.id, key))
      throw alreadyExists(resource, key);
  }
  authorizeOwner(ctx, 'media.update', media.owner);
  if (keys.includes('') && isLink(media)) {
    throw InvalidInputError.of(
      'resource',
      'NO_FILE',
      'The media item is a link and cannot have an original file.',
    );
  }
  return media;
}

/** Throws ForbiddenError for a name that a node of another viewer in the trash needs if it is restored. */
async function refuseTrashed(ctx: Context, resource: string): Promise<void> {
  const trashed = await findTrashedResource(ctx.db, resource);
  if (trashed === undefined || isAllowedForOwner(ctx, 'media.update', trashed.owner)) return;
  throw new ForbiddenError();
}

/** Returns the files under the names that their sender or their resource gave them: contract §4.1, `blob` included. */
function withOwnNames(
  examined: readonly ExaminedFile[],
  files: readonly StagedFile[],
): ExaminedFile[] {
  const names = new Map(files.map(({ blobKey, filename }) => [blobKey, filename]));
  return examined.map((file) => ({
    ...file,
    filename: names.get(file.blobKey) || file.filename,
  }));
}

async function insertRows(
  ctx: Context,
  { resource, projectId, insert, checkExisting }: ResourceTarget,
  files: readonly ExaminedFile[],
): Promise<AddedFiles> {
  const keys = files.map(({ key }) => key);
  const main = mainOf(files);
  const found = await findResource(ctx, resource, keys);
  if (found !== null) checkExisting?.();
  const media = found ?? (await (insert ? insert(ctx, main) : insertUnfiled(ctx, resource, main)));
  const dir = (await findDir(ctx.db, existing(ctx), media.id)) ?? (await newDir(ctx));
  const inserted: ResourceFile[] = [];
  for (const file of files) {
    const name = file.key || file.filename;
    const url_name = await chooseUrlName(ctx, { mediaId: media.id, dir, name });
    const columns = { media_id: media.id, dir, url_name, project_id: projectId };
    const row = await insertFileRow(ctx, file, columns);
    inserted.push(toResourceFile({ ...row, resource }, media));
    if (found !== null) await updateExisting(ctx, found, file);
  }
  await recordAudit(ctx, {
    action: found === null ? 'create' : 'add_file',
    target: nodeTarget(media),
    details: found === null ? { type: media.type, filename: main.filename } : { keys },
  });
  ctx.events.publish(found === null ? mediaEvent('created', media) : mediaUpdate(media, 'file'));
  return { media, files: inserted };
}

function isLink({ type, image_url }: NodeRow): boolean {
  return image_url !== null || !(FILE_TYPES as readonly string[]).includes(type);
}

/** Returns the file that a new media item is of: the original, or else the first one. */
function mainOf(files: readonly ExaminedFile[]): ExaminedFile {
  const main = files.find(({ key }) => key === '') ?? files[0];
  if (main === undefined) throw new Error('A resource cannot be created without a file.');
  return main;
}

async function insertUnfiled(ctx: Context, resource: string, main: ExaminedFile): Promise<NodeRow> {
  const is_public = await visibilityOfNew(ctx, {}, UNFILED.path);
  return insertNode(ctx.db, newMediaRow(ctx, main, { ...UNFILED, resource, is_public }));
}

/**
 * Updates the columns of an existing resource: a media item that has no name of its own is named after its original, or
 * after a variant until the original arrives.
 */
async function updateExisting(
  ctx: Context,
  media: NodeRow,
  { key, type, filename, mimeType }: ExaminedFile,
): Promise<void> {
  const isRenamed = key === '' && (await isNamedAfterFile(ctx, media));
  await updateNode(ctx.db, existing(ctx), media.id, {
    ...(key === '' && newDetailsColumns(mimeType)),
    ...(key === '' && { type, ...(isRenamed && { name: filename, title: filename }) }),
    updated_at: ctx.clock(),
  });
}

async function isNamedAfterFile(ctx: Context, { id, name, title }: NodeRow): Promise<boolean> {
  if (title !== null && title !== name) return false;
  const files = await listFilesByMediaIds(ctx.db, existing(ctx), [id], ['filename']);
  return files.some(({ filename }) => filename === name);
}

/** Reads all names only if the first choice is taken: a video may have thousands of parts. */
async function chooseUrlName(
  ctx: Context,
  { mediaId, dir, name }: { mediaId: number; dir: string; name: string },
): Promise<string> {
  const wanted = freeUrlName(name, []);
  const isTaken = await isUrlNameTaken(ctx.db, { media_id: mediaId, dir, url_name: wanted });
  return isTaken ? freeUrlName(name, await listUrlNames(ctx.db, mediaId)) : wanted;
}

function alreadyExists(resource: string, key: string): ConflictError {
  const message = `Resource ${resource} with key "${key}" already exists.`;
  return new ConflictError('ALREADY_EXISTS', message);
}
