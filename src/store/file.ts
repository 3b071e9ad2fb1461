import type { Db } from './db.ts';
import { isAnyOf } from './dialect.ts';
import type { FileRow, NewFileRow } from './table.ts';

/** A file with the name of the group that its media is. */
export interface FileOfMediaRow extends FileRow {
  resource: string;
}

/** A second file of the same media and key is a unique violation. */
export async function insertFile(db: Db, file: NewFileRow): Promise<void> {
  await db.insertInto('file').values(file).execute();
}

/** Unordered; missing ids are absent. */
export function listFilesByIds(db: Db, ids: readonly number[]): Promise<FileOfMediaRow[]> {
  return files(db)
    .where(isAnyOf(db, 'file.id', ids))
    .execute();
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

/** Where the bytes of these media are, variants included. */
export async function listBlobKeysByMediaIds(
  db: Db,
  mediaIds: readonly number[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('file')
    .where(isAnyOf(db, 'media_id', mediaIds))
    .select('blob_key')
    .execute();
  return rows.map((row) => row.blob_key);
}

// A media that the Importer did not name goes there by its uuid.
function files(db: Db) {
  return db
    .selectFrom('file')
    .innerJoin('media', 'media.id', 'file.media_id')
    .selectAll('file')
    .select((eb) => eb.fn.coalesce('media.resource', 'media.uuid').as('resource'));
}
