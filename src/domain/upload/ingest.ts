import { randomBytes } from 'node:crypto';
import { fileExtension, urlFilename } from '../../lib/filename.ts';
import { BrokenImageError, ImageTooLargeError, probeImage } from '../../media/probe.ts';
import { type Sniffed, sniffFile } from '../../media/sniff.ts';
import { insertFile, isDirTaken } from '../../store/file/file.ts';
import type { NewFileRow } from '../../store/table.ts';
import { insertNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { UnsupportedMediaError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { enqueueFileJobs } from '../rendition/derived-file.ts';
import { checkTags, tagNewMedia } from '../tag/tag.ts';
import { findMedia, type Media } from '../tree/media.ts';
import { folderToFill, type Place, placeIn, UNFILED } from '../tree/place.ts';
import { classify, type FileType, typeOfUnknown } from './media-type.ts';
import type { MediaRequest, Policy } from './placement.ts';

/** Bytes that have arrived, durable but without a row. */
export interface StagedFile {
  blobKey: string;
  sizeBytes: number;
  md5: string;
  /** Null where the bytes were not seen in one run. */
  sha256: string | null;
  /** As cleaned by `cleanFilename`; empty when there was none. */
  filename: string;
  /** Content type of the request's part. */
  declaredType: string | null;
}

/** How long decoding a picture may take. */
const PROBE_TIMEOUT_MS = 20_000;

/**
 * Turns staged bytes into a media: the one way in, for every door. Sniffs, applies the policy, probes,
 * moves the bytes into place, and only then writes the rows; `alsoInTransaction` joins that
 * transaction. When it throws, no row was written; the bytes may have been moved and are the caller's to
 * discard, or to try again with.
 */
export async function ingest(
  ctx: Context,
  staged: StagedFile,
  request: MediaRequest,
  alsoInTransaction?: (ctx: Context, mediaId: number) => Promise<void>,
): Promise<Media> {
  // Before the bytes move, so that a mistake in the request leaves nothing to clean up.
  await checkTarget(ctx, request);
  const examined = await settle(ctx, staged, request);
  return transact(ctx, async (ctx) => {
    const mediaId = await insertRows(ctx, staged, request, examined);
    await alsoInTransaction?.(ctx, mediaId);
    const media = await findMedia(ctx, { id: mediaId });
    if (media === null) throw new Error('The media that was just made is not there.');
    return media;
  });
}

/** What bytes were found to be. */
export interface Examined extends Sniffed {
  type: FileType;
  /** Of an image, in pixels; null for what has no size. */
  size: { width: number; height: number } | null;
}

/**
 * Looks at staged bytes, applies the policy, and moves them into place, where no row names them yet. Throws
 * UnsupportedMediaError, TooLargeError, InvalidInputError: then they have not moved.
 */
export async function settle(ctx: Context, staged: StagedFile, request: Policy): Promise<Examined> {
  const examined = await examine(ctx, staged, request);
  await ctx.blobs.commit(staged.blobKey, staged.sizeBytes);
  return examined;
}

/** What of a file's row its bytes and their name say. */
export function fileColumns(staged: StagedFile, examined: Examined) {
  const filename = displayFilename(staged.filename, examined);
  return {
    filename,
    extension: fileExtension(filename),
    mime_type: examined.mimeType,
    size_bytes: staged.sizeBytes,
    md5: staged.md5,
    sha256: staged.sha256,
    width: examined.size?.width ?? null,
    height: examined.size?.height ?? null,
    url_name: urlFilename(filename),
    blob_key: staged.blobKey,
  };
}

async function checkTarget(ctx: Context, { folderId, tagIds }: MediaRequest): Promise<void> {
  if (folderId !== null) await folderToFill(ctx, folderId);
  await checkTags(ctx, tagIds);
}

/** What the bytes are, if they may be that. */
function examine(
  ctx: Context,
  staged: StagedFile,
  { type: wanted, allowedTypes, unreadableAs }: Policy,
): Promise<Examined> {
  return ctx.blobs.withLocalFile(staged.blobKey, async (path) => {
    const sniffed = await sniffFile(path, { filename: staged.filename });
    const type =
      typeOfUnknown(ctx, staged, sniffed, unreadableAs) ??
      classify(ctx, staged, sniffed, wanted, allowedTypes);
    const size =
      sniffed.kind === 'image' ? await probe(ctx, path, sniffed, unreadableAs !== undefined) : null;
    return { ...sniffed, type, size };
  });
}

async function probe(
  { settings }: Context,
  path: string,
  { mimeType }: Sniffed,
  mayBeBroken: boolean,
) {
  try {
    return await probeImage(path, {
      pixelsMax: settings.imagePixelsMax,
      timeoutMs: PROBE_TIMEOUT_MS,
    });
  } catch (error) {
    if (error instanceof BrokenImageError && mayBeBroken) return null;
    if (error instanceof BrokenImageError || error instanceof ImageTooLargeError) {
      throw new UnsupportedMediaError(mimeType, error.message, { cause: error });
    }
    throw error;
  }
}

async function insertRows(
  ctx: Context,
  staged: StagedFile,
  request: MediaRequest,
  examined: Examined,
): Promise<number> {
  const place = request.folderId === null ? UNFILED : await placeIn(ctx, request.folderId);
  const mediaId = await insertMediaRow(ctx, staged, { ...request, place }, examined);
  const columns = { ...fileColumns(staged, examined), dir: await newDir(ctx) };
  await insertFileRow(ctx, { ...columns, media_id: mediaId, key: '' });
  await tagNewMedia(ctx, mediaId, request.tagIds);
  ctx.events.publish(
    mediaEvent('created', { ...place, id: mediaId, is_public: 0, owner: ctx.viewer.id }),
  );
  return mediaId;
}

/** Writes the row of a media that a file makes; answers its id. A `resource` that is taken is a unique violation. */
export async function insertMediaRow(
  ctx: Context,
  staged: StagedFile,
  request: Pick<MediaRequest, 'title' | 'description' | 'columns'> & { place: Place },
  examined: Examined,
): Promise<number> {
  const now = ctx.clock();
  const { filename } = fileColumns(staged, examined);
  const isNamed = filename === staged.filename;
  const { id } = await insertNode(ctx.db, {
    ...request.place,
    ...request.columns,
    uuid: ctx.newId(),
    type: examined.type,
    name: request.title || filename,
    title: request.title ?? (isNamed ? filename : null),
    description: request.description,
    owner: ctx.viewer.id,
    is_public: 0,
    created_at: now,
    updated_at: now,
  });
  return id;
}

/** What of a file's row its sender, its bytes and its place say. */
export type FileColumns = ReturnType<typeof fileColumns> &
  Pick<NewFileRow, 'media_id' | 'key' | 'dir' | 'project_id'>;

/**
 * Writes the row of a file whose bytes are in place, and has done what is to be done with it. A second one of
 * the same media and key is a unique violation.
 */
export async function insertFileRow(ctx: Context, columns: FileColumns): Promise<void> {
  const now = ctx.clock();
  const file = { ...columns, uuid: ctx.newId() };
  await insertFile(ctx.db, {
    ...file,
    created_by: ctx.viewer.id,
    created_role: ctx.viewer.kind === 'anonymous' ? null : ctx.viewer.role,
    created_at: now,
    updated_at: now,
  });
  await enqueueFileJobs(ctx, file);
}

/** A browser's form names a picture that a page has redrawn "blob": no name of anyone's choosing. */
function displayFilename(filename: string, { kind, extension }: Examined): string {
  if (filename !== '' && filename !== 'blob') return filename;
  return extension === null ? kind : `${kind}.${extension}`;
}

const DIR_ALPHABET = 'abcdefghijklmnopqrstuvwxyz012345';

/** Eight characters that no other media has: 40 random bits collide once in a million at a million media. */
export async function newDir(ctx: Context): Promise<string> {
  const dir = Array.from(randomBytes(8), (byte) => DIR_ALPHABET[byte % 32]).join('');
  return (await isDirTaken(ctx.db, dir)) ? newDir(ctx) : dir;
}
