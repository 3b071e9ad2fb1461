import type { Db } from '../db.ts';
import { isAnyOf, lockRows } from '../dialect.ts';
import type { FileChange, FileRow, NewFileRow } from '../table.ts';

/** A file with the name of the group that its media is. */
export interface FileOfMediaRow extends FileRow {
  resource: string;
}

/** Returns the new row. A second file of the same media item and key is a unique violation. */
export function insertFile(db: Db, file: NewFileRow): Promise<FileRow> {
  return db.insertInto('file').values(file).returningAll().executeTakeFirstOrThrow();
}

/** Sets the columns that are given. */
export async function updateFile(db: Db, id: number, columns: FileChange): Promise<void> {
  await db.updateTable('file').set(columns).where('id', '=', id).execute();
}

/** Unordered; missing ids are absent. */
export function listFilesByIds(db: Db, ids: readonly number[]): Promise<FileOfMediaRow[]> {
  return files(db)
    .where(isAnyOf(db, 'file.id', ids))
    .execute();
}

/** By its own id, and not its media's. */
export function findFileById(db: Db, id: number): Promise<FileOfMediaRow | undefined> {
  return files(db).where('file.id', '=', id).executeTakeFirst();
}

/** By its own uuid, and not its media's. */
export function findFileByUuid(db: Db, uuid: string): Promise<FileOfMediaRow | undefined> {
  return files(db).where('file.uuid', '=', uuid).executeTakeFirst();
}

/** The original and the variants of each media, the original first. */
export function listFilesByMediaIds(
  db: Db,
  mediaIds: readonly number[],
): Promise<FileOfMediaRow[]> {
  return files(db)
    .where(isAnyOf(db, 'file.media_id', mediaIds))
    .orderBy('file.key')
    .execute();
}

/** The original of a media, or one of its variants. */
export function findFileByKey(
  db: Db,
  mediaId: number,
  key: string,
): Promise<FileOfMediaRow | undefined> {
  return files(db)
    .where('file.media_id', '=', mediaId)
    .where('file.key', '=', key)
    .executeTakeFirst();
}

/** The first segment of the URLs of a media's files; undefined if it has none. */
export async function findDir(db: Db, mediaId: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('file')
    .where('media_id', '=', mediaId)
    .select('dir')
    .limit(1)
    .executeTakeFirst();
  return row?.dir;
}

/** The last segments of the URLs of a media's files. */
export async function listUrlNames(db: Db, mediaId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('file')
    .where('media_id', '=', mediaId)
    .select('url_name')
    .execute();
  return rows.map((row) => row.url_name);
}

/** The file behind `/media/{dir}/{urlName}`; of several of the same name, the original. */
export function findFileByUrl(
  db: Db,
  dir: string,
  urlName: string,
): Promise<FileOfMediaRow | undefined> {
  return files(db)
    .where('file.dir', '=', dir)
    .where('file.url_name', '=', urlName)
    .orderBy('file.key')
    .limit(1)
    .executeTakeFirst();
}

/** Whether a media has this first segment of URLs. */
export async function isDirTaken(db: Db, dir: string): Promise<boolean> {
  const row = await db
    .selectFrom('file')
    .where('dir', '=', dir)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Those of the given blob keys that a file row refers to. */
export async function listKnownFileBlobKeys(db: Db, keys: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('file')
    .where(isAnyOf(db, 'blob_key', keys))
    .select('blob_key')
    .execute();
  return rows.map((row) => row.blob_key);
}

/**
 * Where the bytes of these media are, those of variants and renditions included. Until the end of the
 * transaction no more of these are made.
 */
export async function listBlobKeysByMediaIds(
  db: Db,
  mediaIds: readonly number[],
): Promise<string[]> {
  const isOfMedia = isAnyOf(db, 'media_id', mediaIds);
  const medias = db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', mediaIds))
    .select('id');
  await lockRows(db, medias.orderBy('id'));
  const renditions = db
    .selectFrom('rendition')
    .innerJoin('file', 'file.id', 'rendition.file_id')
    .where(isOfMedia)
    .select('rendition.blob_key');
  const rows = await db
    .selectFrom('file')
    .where(isOfMedia)
    .select('blob_key')
    .unionAll(renditions)
    .execute();
  return rows.map((row) => row.blob_key);
}

/** Deletes rows of files, and of their renditions: the bytes are the caller's. */
export async function deleteFiles(db: Db, ids: readonly number[]): Promise<void> {
  await db
    .deleteFrom('file')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

/** Sets the digest of bytes, where it is not known yet; false: it is, or the file has other bytes by now. */
export async function updateFileSha256(
  db: Db,
  { id, blob_key }: Pick<FileRow, 'id' | 'blob_key'>,
  sha256: string,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('file')
    .set({ sha256 })
    .where('id', '=', id)
    .where('blob_key', '=', blob_key)
    .where('sha256', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

// A media that the Importer did not name goes there by its uuid.
function files(db: Db) {
  return db
    .selectFrom('file')
    .innerJoin('media', 'media.id', 'file.media_id')
    .selectAll('file')
    .select((eb) => eb.fn.coalesce('media.resource', 'media.uuid').as('resource'));
}

/** A range of blob keys: `after` is not part of it, `upTo` is; without `upTo` it has no end. */
export interface BlobKeyRange {
  after: string;
  upTo: string | null;
}

/** Lists the first `limit` files whose blob keys are in a range, in the order of the keys. */
export function listFilesByBlobKey(
  db: Db,
  { after, upTo }: BlobKeyRange,
  limit: number,
): Promise<Pick<FileRow, 'uuid' | 'blob_key' | 'size_bytes' | 'updated_at'>[]> {
  const all = db.selectFrom('file').where('blob_key', '>', after);
  return (upTo === null ? all : all.where('blob_key', '<=', upTo))
    .orderBy('blob_key')
    .limit(limit)
    .select(['uuid', 'blob_key', 'size_bytes', 'updated_at'])
    .execute();
}
