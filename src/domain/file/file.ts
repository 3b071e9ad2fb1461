import { BlobNotFoundError, BlobSizeError, type PresignOptions } from '../../blob/blob-store.ts';
import type { ByteRange } from '../../blob/byte-range.ts';
import { type BlobBytes, SMALL_BYTES } from '../../blob/memory.ts';
import { groupById } from '../../lib/group.ts';
import type { Patch } from '../../media/location/patch.ts';
import * as store from '../../store/file/file.ts';
import { findFileByOldUrl, findFileByUrl, type SentFileRow } from '../../store/file/sent-file.ts';
import { type ScopeColumns, VISIBILITY } from '../../store/scope.ts';
import type { FileRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { column, computed, createRowReader, type Only, type RowReader } from '../row-reader.ts';
import { DamagedFileError } from '../storage-error.ts';
import { existing, isVisible, maySeeLocationOf, scopeOf } from '../viewer/access.ts';
import { locationPatches, withPatches } from './location.ts';

/** One stored file of a media item: the original, whose key is empty, or a variant. */
export interface File {
  id: number;
  uuid: string;
  mediaId: number;
  /** The Importer's name for the media item's files. */
  resource: string;
  key: string;
  /** As named by its sender: any Unicode, never a path. */
  filename: string;
  /** Lower case, without dot. */
  extension: string | null;
  /** Detected from the content. */
  mimeType: string;
  sizeBytes: number;
  md5: string;
  /** Null until it has been computed. */
  sha256: string | null;
  /** Width of an image in pixels, as it is displayed: with its orientation applied. */
  width: number | null;
  height: number | null;
  /** The dominant color of an original image or its thumbnail, `#rrggbb`; null for other files, and until it is computed. */
  color: string | null;
  /**
   * The ThumbHash of an original image, in Base64. Like `hasAlpha` and `isAnimated`, it is null for other files, and until
   * a job has computed it.
   */
  thumbhash: string | null;
  /** Whether any pixel is not opaque. */
  hasAlpha: boolean | null;
  isAnimated: boolean | null;
  /** Whether its media item is private: its bytes are then only for viewers who may see it, or by a signed URL. */
  isPrivate: boolean;
  /** When its stored bytes were found missing or wrong; null: never. */
  damagedAt: Date | null;
  /** Path on this server, percent-encoded: `/media/oiodd2qz/logo.png`. */
  urlPath: string;
  createdAt: Date;
  updatedAt: Date;
}

/** The part of a file that its sender needs. */
export type SentFile = Pick<
  File,
  'filename' | 'mimeType' | 'sizeBytes' | 'md5' | 'updatedAt' | 'isPrivate'
>;

/** A file that is ready to be sent. */
export interface OpenedFile {
  file: SentFile;
  /** Reads its bytes, all or a range. Throws FileGoneError, DamagedFileError. */
  read: (range?: ByteRange) => Promise<BlobBytes>;
  /** Whether viewers with a credential get another size than those without. (Default: false) */
  dependsOnViewer?: boolean;
  /**
   * Whether the location is in the bytes, or was removed because the viewer may not edit the media item. (Default: the file
   * has no location, or the server never removes it)
   */
  location?: 'kept' | 'removed';
  /** How long caches may use the bytes without asking. (Default: not at all) */
  lifetime?: Lifetime;
  /** Returns a URL of the bytes in the bucket. (Default: this server sends the bytes) */
  presign?: (options: PresignOptions) => Promise<string>;
}

/** How long bytes stay valid. `forever`: the URL never returns others. `brief`: a job is creating better ones. */
export type Lifetime = 'forever' | 'brief';

/**
 * Thrown if the bytes of an opened file do not exist. If the file has just been deleted or replaced, opening it again
 * shows that. Otherwise the bytes are lost, which no reader can repair.
 */
export class FileGoneError extends Error {
  override readonly name = 'FileGoneError';

  constructor(file: { id: number }, options?: ErrorOptions) {
    super(`The bytes of file ${file.id} are gone.`, options);
  }
}

/** Returns those of the files that exist and whose media item the viewer may see, unordered. */
export async function filesByIds(ctx: Context, ids: readonly number[]): Promise<File[]> {
  return (await store.listFilesByIds(ctx.db, scopeOf(ctx), ids)).map(toFile);
}

/** Returns the original among the files of a media item; null if it has none. */
export function originalAmong(files: readonly File[] | undefined): File | null {
  return files?.find(({ key }) => key === '') ?? null;
}

/** Returns the files of each media item that the viewer may see, the original first. */
export async function filesByMediaIds(
  ctx: Context,
  mediaIds: readonly number[],
  only?: Only<File>,
): Promise<Map<number, File[]>> {
  const { columns, convert } = FILE.part(only && [...only, 'mediaId', 'key']);
  const rows = await store.listFilesByMediaIds(ctx.db, scopeOf(ctx), mediaIds, columns);
  return groupById(rows, (row) => row.media_id ?? 0, convert);
}

/** What a request proves. */
export interface Proof {
  /** Whether its URL has a valid signature. (Default: false) */
  isSigned?: boolean;
}

/**
 * Returns the file at `/media/{dir}/{urlName}`, or undefined. A name that an original had before it was replaced leads to
 * the current original, so that pages which show it go on working; its old bytes are never found by it. Everybody who knows the URL may read it, as in the earlier
 * systems: an `<img>` sends no credential, and `dir` is random. A private file is for viewers who may see its media item,
 * and for a signed URL. To others it does not exist.
 */
export async function findFileAt(
  ctx: Context,
  dir: string,
  urlName: string,
  { isSigned = false }: Proof = {},
): Promise<SentFileRow | undefined> {
  const scope = existing(ctx);
  const row =
    (await findFileByUrl(ctx.db, scope, dir, urlName)) ??
    (await findFileByOldUrl(ctx.db, scope, dir, urlName));
  if (row === undefined || isSigned || !isPrivate(row)) return row;
  return isVisible(ctx, { ...row, id: row.media_id }) ? row : undefined;
}

/** Returns the file at `/media/{dir}/{urlName}`, ready to be sent, or null, as `findFileAt` does. */
export async function openFile(
  ctx: Context,
  dir: string,
  urlName: string,
  proof?: Proof,
): Promise<OpenedFile | null> {
  const row = await findFileAt(ctx, dir, urlName, proof);
  return row ? openRow(ctx, row) : null;
}

/** Tells whether the media item of a file is private. */
export function isPrivate({ is_public }: Pick<FileRow, 'is_public'>): boolean {
  return is_public === VISIBILITY.private;
}

/**
 * Opens the file of a row that the caller has found. Removes its location if the settings say so and `sender`, the context
 * of the request, may not edit the media item: an editor may pass on a signed URL. Throws FileGoneError.
 */
export async function openRow(
  ctx: Context,
  row: SentRow,
  sender: Context = ctx,
): Promise<OpenedFile> {
  const opened: OpenedFile = { file: toSentFile(row), read: (range) => read(ctx, row, range) };
  const patches = await findPatches(ctx, row);
  if (patches.length === 0) return { ...opened, ...presigning(ctx, row) };
  const isSeen = isVisible(sender, { ...row, id: row.media_id });
  const isEditor = isSeen && maySeeLocationOf(sender, row.owner);
  if (isEditor) return { ...opened, location: 'kept' };
  return {
    ...opened,
    location: 'removed',
    read: async (range) => withPatches(await opened.read(range), range?.start ?? 0, patches),
  };
}

/** Small files come from memory, and a redirect would cost their client another request. */
function presigning(
  { blobs, settings: { storageRedirect } }: Context,
  row: SentRow,
): Pick<OpenedFile, 'presign'> {
  const { presign } = blobs;
  const isAllowed = storageRedirect === 'all' || (storageRedirect === 'public' && !isPrivate(row));
  const isSent = row.damaged_at !== null || row.size_bytes <= SMALL_BYTES;
  if (!isAllowed || isSent || presign === undefined) return {};
  return { presign: (options) => presign(row.blob_key, options) };
}

async function findPatches(ctx: Context, row: SentRow): Promise<Patch[]> {
  // `read` throws DamagedFileError for it.
  if (row.damaged_at !== null) return [];
  try {
    return await locationPatches(ctx, row);
  } catch (cause) {
    throw cause instanceof BlobNotFoundError ? new FileGoneError(row, { cause }) : cause;
  }
}

/** The columns of a file that its sender needs. */
type SentRow = Pick<
  SentFileRow,
  | 'id'
  | 'filename'
  | 'mime_type'
  | 'size_bytes'
  | 'md5'
  | 'updated_at'
  | 'blob_key'
  | 'damaged_at'
  | 'media_id'
  | keyof Omit<ScopeColumns, 'id'>
>;

function toSentFile({ filename, mime_type, size_bytes, md5, ...row }: SentRow): SentFile {
  const updatedAt = new Date(row.updated_at);
  const sizeBytes = size_bytes;
  return { filename, mimeType: mime_type, sizeBytes, md5, updatedAt, isPrivate: isPrivate(row) };
}

async function read(
  { blobs }: Context,
  row: SentRow,
  range: ByteRange | undefined,
): Promise<BlobBytes> {
  if (row.damaged_at !== null) throw new DamagedFileError();
  try {
    return await blobs.readSized(row.blob_key, row.size_bytes, range);
  } catch (cause) {
    if (cause instanceof BlobSizeError) throw new DamagedFileError({ cause });
    throw cause instanceof BlobNotFoundError ? new FileGoneError(row, { cause }) : cause;
  }
}

/** The row of a file, with its media item's name for the group. */
type Row = FileRow & { resource: string };

/** The reader of files. */
export const FILE: RowReader<Row, File> = createRowReader<Row, File>({
  id: column('id'),
  uuid: column('uuid'),
  mediaId: column('media_id'),
  resource: column('resource'),
  key: column('key'),
  filename: column('filename'),
  extension: column('extension'),
  mimeType: column('mime_type'),
  sizeBytes: column('size_bytes'),
  md5: column('md5'),
  sha256: column('sha256'),
  width: column('width'),
  height: column('height'),
  color: column('color'),
  thumbhash: column('thumbhash'),
  hasAlpha: computed(['has_alpha'], ({ has_alpha }) => toBoolean(has_alpha)),
  isAnimated: computed(['is_animated'], ({ is_animated }) => toBoolean(is_animated)),
  isPrivate: computed(['is_public'], isPrivate),
  damagedAt: computed(['damaged_at'], ({ damaged_at }) =>
    damaged_at === null ? null : new Date(damaged_at),
  ),
  urlPath: computed(['dir', 'url_name'], ({ dir, url_name }) => `/media/${dir}/${url_name}`),
  createdAt: computed(['created_at'], (row) => new Date(row.created_at)),
  updatedAt: computed(['updated_at'], (row) => new Date(row.updated_at)),
});

/** Converts a boolean column; null stays null. */
export function toBoolean(value: number | null): boolean | null {
  return value === null ? null : value === 1;
}

/** Converts a row of a file. */
export const toFile: (row: Row) => File = FILE.toObject;
