import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { prepared } from '../prepared.ts';
import type { Scope, ScopeColumns } from '../scope.ts';
import { kept } from '../sqlite/kept.ts';
import type { FileRow } from '../table.ts';
import { type FileColumns, isFileInScope, withMediaColumns } from './file.ts';

/** The columns that are needed to send a file or a rendition of it. A column more takes SQLite 2 µs. */
const SENT_COLUMNS = [
  'id',
  'uuid',
  'media_id',
  'filename',
  'mime_type',
  'size_bytes',
  'md5',
  'width',
  'height',
  'has_alpha',
  'is_animated',
  'blob_key',
  'url_name',
  'updated_at',
  'damaged_at',
] as const satisfies FileColumns;

/** A file as it is sent. */
export type SentFileRow = Readonly<
  Pick<FileRow, (typeof SENT_COLUMNS)[number]> & Omit<ScopeColumns, 'id'>
>;

/** Returns the file at `/media/{dir}/{urlName}`. If several have that name, the original comes first. */
export async function findFileByUrl(
  db: Db,
  scope: Scope,
  dir: string,
  urlName: string,
): Promise<SentFileRow | undefined> {
  const [file] = await byUrl(db, { dir, urlName });
  return file && isFileInScope(scope, file) ? file : undefined;
}

/**
 * Returns the original of the media item whose files are at `/media/{dir}`, if it was at `/media/{dir}/{urlName}` before
 * it was replaced. Look for a file that is there now first.
 */
export async function findFileByOldUrl(
  db: Db,
  scope: Scope,
  dir: string,
  urlName: string,
): Promise<SentFileRow | undefined> {
  const [file] = await byOldUrl(db, { dir, urlName });
  return file && isFileInScope(scope, file) ? file : undefined;
}

interface ByUrl {
  dir: string;
  urlName: string;
}

const byUrl = kept(
  prepared<ByUrl, SentFileRow>({
    isLookup: true,
    keyOf: () => '',
    lookupsOf: () => 1,
    build: (db, _args, slot) =>
      sentFiles(db)
        .where('file.dir', '=', slot(dirOf))
        .where('file.url_name', '=', slot(urlNameOf))
        .orderBy('file.key')
        .limit(1),
  }),
  pathOf,
);

const byOldUrl = kept(
  prepared<ByUrl, SentFileRow>({
    keyOf: () => '',
    lookupsOf: () => 1,
    build: (db, _args, slot) =>
      sentFiles(db)
        .innerJoin('file_address', 'file_address.media_id', 'file.media_id')
        .where('file.dir', '=', slot(dirOf))
        .where('file.key', '=', sql.lit(''))
        .where('file_address.url_name', '=', slot(urlNameOf)),
  }),
  pathOf,
);

function sentFiles(db: Db) {
  return withMediaColumns(db).select(SENT_COLUMNS.map((name) => `file.${name}` as const));
}

function pathOf({ dir, urlName }: ByUrl): string {
  return `${dir}/${urlName}`;
}

const dirOf = ({ dir }: ByUrl) => dir;
const urlNameOf = ({ urlName }: ByUrl) => urlName;
