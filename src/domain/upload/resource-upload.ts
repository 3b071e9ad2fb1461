import { z } from 'zod';
import { cleanFilename } from '../../lib/filename.ts';
import { isUniqueViolation } from '../../store/error.ts';
import { findDir, findFileByKey, findFileByUrl, listUrlNames } from '../../store/file/file.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import { findMediaById, findMediaByResource } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { ConflictError, ForbiddenError, InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { type ResourceFile, toResourceFile } from '../file/resource.ts';
import { freeUrlName } from '../file/url-name.ts';
import { parseInput } from '../input.ts';
import { UNFILED } from '../tree/place.ts';
import { authorize, authorizeOwner, isVisible } from '../viewer/access.ts';
import {
  type Examined,
  fileColumns,
  insertFileRow,
  insertMediaRow,
  newDir,
  type StagedFile,
  settle,
} from './ingest.ts';
import { FILE_TYPES } from './media-type.ts';
import type { Policy } from './placement.ts';
import { discardRefused, discardStaged, type FileClaim, stageFile } from './staging.ts';

/** A file of a request, as it arrives. */
export interface ArrivingFile extends FileClaim {
  bytes: AsyncIterable<Uint8Array>;
}

/** What a request says of its files; null: nothing. Known only when all of it has arrived. */
export interface UploadDetails {
  key: string | null;
  projectId: string | null;
}

/** Reads a request, and hands over each of its files in turn. */
export type Receive = (take: (file: ArrivingFile) => Promise<void>) => Promise<UploadDetails>;

/** A name within a URL: any Unicode, as long as it can be seen. */
const segment = z
  .string()
  .max(255, 'At most 255 characters.')
  .regex(/^\P{Cc}*$/u, 'May not hold control characters.');

const uploadInput = z.object({
  resource: segment.min(1, 'May not be blank.'),
  key: segment.nullable(),
  projectId: segment.nullable(),
});

/**
 * Stores files under keys of a resource, which is made if there is none: a media, in no folder. Without a key
 * a file is the original; of several, each goes by its name. All or nothing: when it throws, there are no
 * rows, and no bytes for longer than until the sweep. Adding to a resource needs its creator or an admin.
 * Throws ConflictError ALREADY_EXISTS, InvalidInputError, TooLargeError, UnsupportedMediaError,
 * ForbiddenError, and what `receive` throws.
 */
export async function uploadToResource(
  ctx: Context,
  { resource, key }: { resource: string; key: string | null },
  receive: Receive,
): Promise<ResourceFile[]> {
  authorize(ctx, 'resource.create');
  // Before the bytes: what can be refused at once should not be sent to its end.
  await findTarget(ctx, resource, key === null ? [] : [key]);
  const staged: StagedFile[] = [];
  const details = await receive(async ({ bytes, ...claim }) => {
    staged.push(await stageFile(ctx, bytes, claim));
  }).catch(async (error) => {
    for (const file of staged) await discardStaged(ctx, file);
    throw error;
  });
  const store = async () => {
    const input = parseInput(uploadInput, { resource, ...details });
    const files = withKeys(staged, input);
    const settled: SettledFile[] = [];
    for (const file of files)
      settled.push({ ...file, examined: await settle(ctx, file.staged, ANY) });
    return insertAll(ctx, input, settled);
  };
  return staged.reduce((work, file) => () => discardRefused(ctx, file, work), store)();
}

/** The content decides what it is. */
const ANY: Policy = { type: null };

interface KeyedFile {
  staged: StagedFile;
  key: string;
}

interface SettledFile extends KeyedFile {
  examined: Examined;
}

type Upload = z.output<typeof uploadInput>;

function withKeys(staged: readonly StagedFile[], { resource, key }: Upload): KeyedFile[] {
  const [first, ...others] = staged;
  if (first === undefined) throw InvalidInputError.of('file', 'REQUIRED', 'It is required.');
  if (others.length === 0) return [named(first, key ?? '', resource)];
  if (key) throw InvalidInputError.of('key', 'CONFLICT', 'One key cannot be of several files.');
  const files = staged.map((file) => named(file, file.filename, resource));
  if (files.some((file) => file.key === '')) {
    throw InvalidInputError.of('file', 'BLANK', 'Each of several files needs a name.');
  }
  return files;
}

/** Contract §4.1: a file without a name goes by that of its resource; a variant of it, by its key. */
function named(staged: StagedFile, key: string, resource: string): KeyedFile {
  const filename = staged.filename || cleanFilename(key || resource);
  return { staged: { ...staged, filename }, key };
}

/** More than two would be a third request that makes, and a fourth that deletes, the same at the same time. */
const TRIES_MAX = 3;

/** All rows in one transaction; again where another request has made the resource meanwhile. */
async function insertAll(
  ctx: Context,
  upload: Upload,
  files: readonly SettledFile[],
): Promise<ResourceFile[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await transact(ctx, (ctx) => insertRows(ctx, upload, files));
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      // Two files of this very request, or the first of the race that another request has won.
      if (tries === TRIES_MAX) throw taken(upload.resource, files[0]?.key ?? '');
    }
  }
}

async function insertRows(
  ctx: Context,
  { resource, projectId }: Upload,
  files: readonly SettledFile[],
): Promise<ResourceFile[]> {
  const keys = files.map(({ key }) => key);
  const target = await findTarget(ctx, resource, keys);
  const mediaId = target?.id ?? (await insertMedia(ctx, resource, files));
  const dir = (await findDir(ctx.db, EVERYTHING, mediaId)) ?? (await newDir(ctx));
  for (const { staged, examined, key } of files) {
    const columns = fileColumns(staged, examined);
    const url_name = await urlName(ctx, { mediaId, dir, name: key || columns.filename });
    const place = { media_id: mediaId, key, dir, url_name, project_id: projectId };
    await insertFileRow(ctx, { ...columns, ...place });
    if (target !== null) await updateTarget(ctx, target, key, { staged, examined });
  }
  const owner = ctx.viewer.id;
  const media = target ?? { id: mediaId, is_public: 0, parent_id: null, path: '', owner };
  ctx.events.publish(mediaEvent(target === null ? 'created' : 'updated', media));
  return listInserted(ctx, media, keys);
}

/**
 * The media that the resource is, held to the end of a transaction, or null. Throws ConflictError for a key
 * that it has, InvalidInputError for the original of a link, ForbiddenError for what is another's.
 */
async function findTarget(
  ctx: Context,
  resource: string,
  keys: readonly string[],
): Promise<NodeRow | null> {
  const found = await findMediaByResource(ctx.db, EVERYTHING, resource);
  if (found === undefined) return null;
  if (ctx.db.isTransaction) await lockNode(ctx.db, found.id);
  const media = await findMediaById(ctx.db, EVERYTHING, found.id);
  if (media === undefined) return null;
  if (!isVisible(ctx, media)) throw new ForbiddenError();
  for (const key of keys) {
    if (await findFileByKey(ctx.db, EVERYTHING, media.id, key)) throw taken(resource, key);
  }
  authorizeOwner(ctx, 'media.update', media.owner);
  if (keys.includes('') && isLink(media)) {
    throw InvalidInputError.of(
      'resource',
      'NO_FILE',
      'It is a link, which has no file of its own.',
    );
  }
  return media;
}

function isLink({ type, image_url }: NodeRow): boolean {
  return image_url !== null || !(FILE_TYPES as readonly string[]).includes(type);
}

function insertMedia(
  ctx: Context,
  resource: string,
  files: readonly SettledFile[],
): Promise<number> {
  const main = files.find(({ key }) => key === '') ?? files[0];
  if (main === undefined) throw new Error('There is no file to make a media of.');
  const request = { place: UNFILED, title: null, description: null, columns: { resource } };
  return insertMediaRow(ctx, main.staged, request, main.examined);
}

/** A media is named after its original, and before that comes after a variant. */
async function updateTarget(
  ctx: Context,
  media: NodeRow,
  key: string,
  { staged, examined }: Pick<SettledFile, 'staged' | 'examined'>,
): Promise<void> {
  const { filename } = fileColumns(staged, examined);
  const isNamed = media.title !== null && media.title !== media.name;
  await updateNode(ctx.db, media.id, {
    ...(key === '' && {
      type: examined.type,
      ...(!isNamed && { name: filename, title: filename }),
    }),
    updated_at: ctx.clock(),
  });
}

/** Looks at all names only where the first choice is taken: a video may have thousands of parts. */
async function urlName(
  { db }: Context,
  { mediaId, dir, name }: { mediaId: number; dir: string; name: string },
): Promise<string> {
  const wanted = freeUrlName(name, []);
  const isTaken = (await findFileByUrl(db, EVERYTHING, dir, wanted)) !== undefined;
  return isTaken ? freeUrlName(name, await listUrlNames(db, EVERYTHING, mediaId)) : wanted;
}

async function listInserted(
  { db }: Context,
  media: Pick<NodeRow, 'id' | 'is_public'>,
  keys: readonly string[],
): Promise<ResourceFile[]> {
  const files: ResourceFile[] = [];
  for (const key of keys) {
    const row = await findFileByKey(db, EVERYTHING, media.id, key);
    if (row === undefined) throw new Error('The file that was just stored is not there.');
    files.push(toResourceFile(row, media));
  }
  return files;
}

function taken(resource: string, key: string): ConflictError {
  const message = `Resource ${resource} with key "${key}" already exists.`;
  return new ConflictError('ALREADY_EXISTS', message);
}
