import { z } from 'zod';
import type { FileRow, NewNodeRow, NodeRow } from '../../store/table.ts';
import { insertMediaTags, listTagsByMediaIds } from '../../store/tag/tag.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { insertNode, lockNode } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { NotFoundError, ServerBusyError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { deleteBytes } from '../file/delete-bytes.ts';
import { NO_DETAILS, UNREAD } from '../file/details.ts';
import { displayName, parseInput } from '../input.ts';
import { serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { DamagedFileError } from '../storage-error.ts';
import { newDir } from '../tree/address.ts';
import { isPageType, type Media, toMedia } from '../tree/media.ts';
import { nodeTarget } from '../tree/node.ts';
import { folderToFill, type Place, placeIn, UNFILED } from '../tree/place.ts';
import { takeKnown } from '../upload/door.ts';
import { insertFileRow } from '../upload/file-row.ts';
import type { FileType } from '../upload/policy.ts';
import { authorize, scopeOf } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { checkQuota } from '../viewer/quota.ts';
import {
  type CopiedFile,
  type CopiedRow,
  isGone,
  listCopiedFiles,
  mayCopyLocation,
  stageCopies,
} from './copied-file.ts';

const copyInput = z.object({
  id: z.int(),
  /** Null: unfiled. Absent: the folder of the original. */
  folderId: z.int().nullish(),
  name: displayName(255).nullish(),
});

type Request = z.output<typeof copyInput>;

/** Attempts to copy a media item whose files are replaced meanwhile. */
const TRIES_MAX = 3;

/**
 * Creates a media item that is a copy of another one: the same bytes, texts, tags, attributes and visibility. It belongs
 * to the viewer, and its bytes count for the viewer's quota; the `resource`, the versions and the history stay with the
 * original. Throws NotFoundError for the original and the folder, QuotaExceededError, InsufficientStorageError,
 * InvalidInputError for a media item of too many files, DamagedFileError, ServerBusyError if the files are replaced again
 * and again.
 */
export async function copyMedia(ctx: Context, input: z.input<typeof copyInput>): Promise<Media> {
  authorize(ctx, 'media.create');
  const request = parseInput(copyInput, input);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const media = await tryToCopy(ctx, request);
    if (media !== null) return media;
  }
  throw new ServerBusyError();
}

/** Returns null if the files of the original have changed meanwhile. */
async function tryToCopy(ctx: Context, request: Request): Promise<Media | null> {
  const original = await findOriginal(ctx, request);
  const folderId = folderIdOf(request, original);
  if (folderId !== null) await folderToFill(ctx, folderId);
  const rows = await listCopiedFiles(ctx, original.id);
  // Before the bytes are copied.
  const storedBytes = rows.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  await checkQuota(ctx, { items: 1, storedBytes });
  const files = await stageUnchanged(ctx, original, rows);
  if (files === null) return null;
  // Before the transaction, in which each statement keeps other writers waiting.
  const dir = await newDir(ctx);
  const copies = files.map(({ copy }) => copy);
  const media = await takeKnown(ctx, copies, {
    write: (ctx) => insertCopy(ctx, request, files, dir),
  });
  if (media === null) for (const { blobKey } of copies) await deleteBytes(ctx, blobKey);
  return media;
}

async function findOriginal(ctx: Context, { id }: Request): Promise<NodeRow> {
  const row = await findMediaById(ctx.db, scopeOf(ctx), id);
  if (row === undefined) throw new NotFoundError('media', id);
  return row;
}

function folderIdOf({ folderId }: Request, { parent_id }: NodeRow): number | null {
  return folderId === undefined ? parent_id : folderId;
}

async function stageUnchanged(
  ctx: Context,
  { id, type }: NodeRow,
  rows: readonly CopiedRow[],
): Promise<CopiedFile[] | null> {
  try {
    // A media item with a file has one of the types of files.
    return await stageCopies(ctx, rows, type as FileType);
  } catch (cause) {
    if (!isGone(cause)) throw cause;
    if (isChanged(rows, await listCopiedFiles(ctx, id))) return null;
    throw new DamagedFileError({ cause });
  }
}

/** Tells whether files have other bytes than before. */
function isChanged(before: readonly FileRow[], after: readonly FileRow[]): boolean {
  const keysOf = (rows: readonly FileRow[]) => rows.map(({ blob_key }) => blob_key).join();
  return keysOf(before) !== keysOf(after);
}

async function insertCopy(
  ctx: Context,
  request: Request,
  files: readonly CopiedFile[],
  dir: string,
): Promise<Media | null> {
  const folderId = folderIdOf(request, await findOriginal(ctx, request));
  const place = folderId === null ? UNFILED : await placeIn(ctx, folderId);
  await lockNode(ctx.db, request.id);
  const original = await findOriginal(ctx, request);
  if (
    isChanged(
      files.map(({ row }) => row),
      await listCopiedFiles(ctx, original.id),
    )
  )
    return null;
  const isLink = files.length === 0;
  const row = await insertNode(ctx.db, copyRow(ctx, original, { ...request, place, isLink }));
  for (const { row: file, copy } of files) {
    const { extension, url_name, project_id } = file;
    const columns = { media_id: row.id, dir, extension, url_name, project_id };
    await insertFileRow(ctx, copy, columns);
  }
  await copyRelated(ctx, original, row);
  await fetchUnknown(ctx, row);
  const details = { type: row.type, copyOf: original.id };
  await recordAudit(ctx, { action: 'create', target: nodeTarget(row), details });
  ctx.events.publish(mediaEvent('created', row));
  return toMedia(row);
}

async function copyRelated({ db }: Context, from: NodeRow, to: NodeRow): Promise<void> {
  const tags = await listTagsByMediaIds(db, [from.id], ['id']);
  const tagIds = tags.flatMap(({ id }) => id ?? []);
  await insertMediaTags(db, [to.id], tagIds);
}

/** Fetches the metadata of a link if the job of the original has not found any yet. */
async function fetchUnknown(ctx: Context, row: NodeRow): Promise<void> {
  const { id, uuid: media_uuid, type, image_url, oembed_type, embed_metadata } = row;
  const isKnown = [image_url, oembed_type, embed_metadata].some((value) => value !== null);
  if (!isPageType(type) || isKnown) return;
  const options = { mediaId: id, unicity: serverUnicity('fetch-link', media_uuid) };
  await enqueueJob(ctx, 'fetch-link', { media_uuid }, options);
}

/** Details that the viewer may not see are read again, from bytes that do not have them. */
function hiddenLocation(ctx: Context, { owner, details }: NodeRow): Partial<NodeRow> {
  const isRead = details !== null && details !== NO_DETAILS;
  if (!isRead || mayCopyLocation(ctx, owner)) return {};
  return UNREAD;
}

/** The columns that a copy does not take from its original. Its place and those below replace them. */
const OWN_COLUMNS: ReadonlySet<string> = new Set<keyof NodeRow>([
  'id',
  'name_sort',
  'resource',
  'deleted_at',
]);

function copyRow(
  ctx: Context,
  original: NodeRow,
  { place, name, isLink }: { place: Place; name?: Request['name']; isLink: boolean },
): NewNodeRow {
  const now = ctx.clock();
  const uuid = ctx.newId();
  const columns = Object.entries(original).filter(([column]) => !OWN_COLUMNS.has(column));
  const newName = name ?? original.name;
  return {
    ...(Object.fromEntries(columns) as NodeRow),
    ...hiddenLocation(ctx, original),
    ...place,
    uuid,
    // As `createMedia` and the uploads set it.
    resource: isLink ? uuid : null,
    name: newName,
    title: original.title === original.name ? newName : original.title,
    owner: ctx.viewer.id,
    client_hash: ctx.client?.hash ?? null,
    created_at: now,
    updated_at: now,
  };
}
