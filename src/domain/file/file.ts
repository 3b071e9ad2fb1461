import { BlobNotFoundError, type BlobStream } from '../../blob/blob-store.ts';
import type { ByteRange } from '../../blob/byte-range.ts';
import * as store from '../../store/file/file.ts';
import type { Context } from '../context.ts';
import { mediasByIds } from '../tree/media.ts';

/** One stored file of a media: the original, whose key is empty, or a variant. */
export interface File {
  id: number;
  uuid: string;
  mediaId: number;
  /** Name of the group of files that its media is. */
  resource: string;
  key: string;
  /** As its sender named it; any Unicode, never a path. */
  filename: string;
  /** Lower case, without dot. */
  extension: string | null;
  /** Found from the content. */
  mimeType: string;
  sizeBytes: number;
  md5: string;
  /** Null until it has been computed. */
  sha256: string | null;
  /** Of an image, as it is shown: its orientation applied. */
  width: number | null;
  height: number | null;
  /** What most of a thumbnail has, `#rrggbb`; null: it is no thumbnail. */
  color: string | null;
  /** Path on this server, percent-encoded: `/media/oiodd2qz/logo.png`. */
  urlPath: string;
  createdAt: Date;
  updatedAt: Date;
}

/** A file that is about to be sent. */
export interface OpenedFile {
  file: File;
  /** Its bytes, whole or a range. Throws FileGoneError. */
  read: (range?: ByteRange) => Promise<BlobStream>;
}

/**
 * The bytes of an opened file are not there: it has just been deleted or replaced, and opening it again
 * tells; or else they are lost, which nobody who asks for them can do anything about.
 */
export class FileGoneError extends Error {
  override readonly name = 'FileGoneError';

  constructor(file: { id: number }, options?: ErrorOptions) {
    super(`The bytes of file ${file.id} are gone.`, options);
  }
}

/** Those of the files that there are and whose media the viewer may see, unordered. */
export async function filesByIds(ctx: Context, ids: readonly number[]): Promise<File[]> {
  const rows = await store.listFilesByIds(ctx.db, ids);
  const medias = await mediasByIds(ctx, [...new Set(rows.map((row) => row.media_id))]);
  const visible = new Set(medias.map((media) => media.id));
  return rows.filter((row) => visible.has(row.media_id)).map(toFile);
}

/** The original among the files of a media; null: it has none. */
export function originalAmong(files: readonly File[] | undefined): File | null {
  return files?.find(({ key }) => key === '') ?? null;
}

/** The files of each media, the original first. The caller has seen to it that the viewer may see them. */
export async function filesByMediaIds(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<Map<number, File[]>> {
  const rows = await store.listFilesByMediaIds(ctx.db, mediaIds);
  const byMedia = Map.groupBy(rows, (row) => row.media_id);
  return new Map([...byMedia].map(([mediaId, rows]) => [mediaId, rows.map(toFile)]));
}

/**
 * The file behind `/media/{dir}/{urlName}`, or null. Whoever knows the URL may read it, as on the roads
 * that came before: an `<img>` sends no credential, and `dir` is random.
 */
export async function openFile(
  ctx: Context,
  dir: string,
  urlName: string,
): Promise<OpenedFile | null> {
  const row = await store.findFileByUrl(ctx.db, dir, urlName);
  return row ? openRow(ctx, row) : null;
}

/** The file of a row, which the caller has found. */
export function openRow(ctx: Context, row: store.FileOfMediaRow): OpenedFile {
  return { file: toFile(row), read: (range) => read(ctx, row, range) };
}

async function read(
  { blobs }: Context,
  row: store.FileOfMediaRow,
  range: ByteRange | undefined,
): Promise<BlobStream> {
  try {
    return await blobs.read(row.blob_key, range);
  } catch (cause) {
    throw cause instanceof BlobNotFoundError ? new FileGoneError(row, { cause }) : cause;
  }
}

/** A row of a file, as the domain has it. */
export function toFile(row: store.FileOfMediaRow): File {
  return {
    id: row.id,
    uuid: row.uuid,
    mediaId: row.media_id,
    resource: row.resource,
    key: row.key,
    filename: row.filename,
    extension: row.extension,
    mimeType: row.mime_type,
    sizeBytes: row.size_bytes,
    md5: row.md5,
    sha256: row.sha256,
    width: row.width,
    height: row.height,
    color: row.color,
    urlPath: `/media/${row.dir}/${row.url_name}`,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}
