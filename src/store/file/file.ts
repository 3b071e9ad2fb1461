import { type RawBuilder, sql } from 'kysely';
import { spellingsOf } from '../../lib/name.ts';
import type { Columns, RowOf } from '../columns.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import { unindexed } from '../plan.ts';
import { insertion, prepared } from '../prepared.ts';
import { onlyRow, updatesRow } from '../result.ts';
import {
  hidesOnly,
  inScope,
  isHidden,
  isInScope,
  isUnlimited,
  type Scope,
  type ScopeColumns,
  VISIBILITY,
} from '../scope.ts';
import type { FileChange, FileRow, NewFileRow } from '../table.ts';

/** A file with the columns of its media item that decide its visibility. */
export interface FileOfMediaRow extends FileRow, Omit<ScopeColumns, 'id'> {}

/** A new file of a media item, which is named by its id or, if the same transaction inserts it, by its uuid. */
type InsertedFile = NewFileRow | NewMediaFileRow;

/** The first file of a media item that the same transaction inserts. */
export interface NewMediaFileRow extends Omit<NewFileRow, 'media_id'> {
  media_uuid: string;
}

/**
 * The insertion of a file. A second file of the same media item and key is a unique violation. The caller has locked an
 * existing media item, so that it is not made public or private meanwhile.
 */
export const fileInsertion = insertion<InsertedFile, never>(insertFileQuery);

const returningFileInsertion = insertion<InsertedFile, FileRow>((db, file) =>
  insertFileQuery(db, file).returningAll(),
);

function insertFileQuery(db: Db, file: InsertedFile) {
  const isMedia =
    'media_uuid' in file ? sql`uuid = ${file.media_uuid}` : sql`id = ${file.media_id}`;
  const ofMedia = (column: RawBuilder<unknown>) =>
    sql`(select ${column} from media where ${isMedia})`;
  const { media_uuid, ...columns } = { media_uuid: undefined, ...file };
  return db.insertInto('file').values({
    ...(columns as NewFileRow),
    ...('media_uuid' in file && { media_id: sql<number>`${ofMedia(sql`id`)}` }),
    resource: sql<string>`${ofMedia(sql`coalesce(resource, uuid)`)}`,
    is_public: sql<number>`coalesce(${ofMedia(sql`is_public`)}, 0)`,
  });
}

/** Runs `fileInsertion`. Returns the row. */
export async function insertFile(db: Db, file: NewFileRow): Promise<FileRow> {
  return onlyRow(await returningFileInsertion(db, file));
}

/** Sets the given columns. */
export async function updateFile(db: Db, id: number, columns: FileChange): Promise<void> {
  await db.updateTable('file').set(columns).where('id', '=', id).execute();
}

/** Returns the files that exist, unordered. */
export function listFilesByIds(db: Db, scope: Scope, ids: readonly number[]) {
  return listFiles(files(db, ids.length).where(isAnyOf(db, 'file.id', ids)), scope);
}

/** Returns the file by its own id, not its media item's. */
export function findFileById(db: Db, scope: Scope, id: number) {
  return findFile(files(db).where('file.id', '=', id), scope);
}

/** Returns the file by its own uuid, not its media item's. */
export function findFileByUuid(db: Db, scope: Scope, uuid: string) {
  return findFile(files(db).where('file.uuid', '=', uuid), scope);
}

/** Columns of a file. */
export type FileColumns = Columns<FileRow>;

/**
 * Columns of the media item that are also selected: all that a scope needs, or only the owner, and that of private media
 * only, which costs nothing for other media.
 */
type Extra = 'media' | 'private owner' | 'none';

interface ByMedia {
  mediaIds: readonly number[];
  columns: FileColumns;
  extra: Extra;
}

const byMediaIds = prepared<ByMedia, FileOfMediaRow>({
  isLookup: true,
  lookupsOf: ({ mediaIds }) => mediaIds.length,
  keyOf: ({ columns, extra }) => `${extra} ${columns}`,
  build: (db, { columns, extra }, slot) =>
    someOf(db, columns, extra)
      .where(isAnyOf(db, 'file.media_id', slot(mediaIdsOf)))
      // The order of an index, so that nothing has to be sorted.
      .orderBy('file.media_id')
      .orderBy('file.key'),
});

const mediaIdsOf = ({ mediaIds }: ByMedia) => mediaIds;

/** Returns the files of each media item, the original first. */
export async function listFilesByMediaIds<C extends FileColumns = undefined>(
  db: Db,
  scope: Scope,
  mediaIds: readonly number[],
  columns?: C,
) {
  const extra = columns === undefined ? 'media' : extraOf(scope);
  const rows = await byMediaIds(db, { mediaIds, columns, extra });
  const isShown = (file: FileOfMediaRow) =>
    extra === 'private owner' ? !isHidden(scope, file) : isFileInScope(scope, file);
  const shown = isUnlimited(scope) ? rows : rows.filter(isShown);
  return shown as RowOf<FileOfMediaRow, C>[];
}

function extraOf(scope: Scope): Extra {
  if (isUnlimited(scope)) return 'none';
  return hidesOnly(scope) ? 'private owner' : 'media';
}

function someOf(db: Db, columns: FileColumns, extra: Extra): ReturnType<typeof files> {
  if (columns === undefined) return fileRows(db);
  const own = new Set(['media_id', ...columns]);
  const selected = [...own].map((name) => `file.${name}`) as ['file.media_id'];
  return selectExtra(db, extra).select(selected) as unknown as ReturnType<typeof files>;
}

function selectExtra(db: Db, extra: Extra) {
  if (extra === 'media') return withMediaColumns(db);
  const files = db.selectFrom('file');
  if (extra === 'none') return files;
  const owner = sql`case when file.is_public = ${sql.lit(VISIBILITY.private)}
    then (select owner from media where media.id = file.media_id) end`;
  return files.select(['file.is_public', owner.as('owner')]);
}

/** Returns the original of a media item, whose key is empty, or one of its variants, by any spelling of its key. */
export async function findFileByKey(db: Db, scope: Scope, mediaId: number, key: string) {
  const ofMedia = files(db).where('file.media_id', '=', mediaId);
  for (const name of spellingsOf(key)) {
    const found = await findFile(ofMedia.where(unindexed(db, 'file.key'), '=', name), scope);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns the first segment of the URLs of a media item's files; undefined if it has none. */
export async function findDir(db: Db, scope: Scope, mediaId: number): Promise<string | undefined> {
  const row = await filesInScope(inline(db), scope)
    .where('media_id', '=', mediaId)
    .select('dir')
    .limit(1)
    .executeTakeFirst();
  return row?.dir;
}

/** Sets the first segment of the URLs of a media item's files. */
export async function updateDir(db: Db, mediaId: number, dir: string): Promise<void> {
  await db.updateTable('file').set({ dir }).where('media_id', '=', mediaId).execute();
}

/** Tells whether a media item has this first segment of URLs. */
export async function isDirTaken(db: Db, dir: string): Promise<boolean> {
  return (await filesInDir(db, { dir })).length > 0;
}

const filesInDir = prepared<{ dir: string }, { id: number }>({
  isLookup: true,
  keyOf: () => '',
  lookupsOf: () => 1,
  build: (db, _args, slot) =>
    db
      .selectFrom('file')
      .where(
        'dir',
        '=',
        slot(({ dir }) => dir),
      )
      .select('id')
      .limit(1),
});

/** Starts a query over the files whose media item is in a scope. */
export function filesInScope(db: Db, scope: Scope) {
  const files = db.selectFrom('file');
  if (isUnlimited(scope)) return files;
  const medias = inScope(db, db.selectFrom('media'), scope).select('media.id');
  return files.where('media_id', 'in', medias);
}

/** Deletes rows of files, with those of their renditions. The bytes are left to the caller. */
export async function deleteFiles(db: Db, ids: readonly number[]): Promise<void> {
  await db
    .deleteFrom('file')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

/** Sets the digest of a file. Returns false if it has one already, or if the file has other bytes by now. */
export function updateFileSha256(
  db: Db,
  { id, blob_key }: Pick<FileRow, 'id' | 'blob_key'>,
  sha256: string,
): Promise<boolean> {
  return updatesRow(
    db
      .updateTable('file')
      .set({ sha256 })
      .where('id', '=', id)
      .where('blob_key', '=', blob_key)
      .where('sha256', 'is', null),
  );
}

function files(db: Db, lookups = 1) {
  return fileRows(inline(db, lookups));
}

function fileRows(db: Db) {
  return withMediaColumns(db).selectAll('file');
}

/** Starts a query over files with the columns of their media items that decide their visibility. */
export function withMediaColumns(db: Db) {
  return db
    .selectFrom('file')
    .innerJoin('media', 'media.id', 'file.media_id')
    .select(['media.parent_id', 'media.path', 'media.owner', 'media.is_public']);
}

async function findFile(query: ReturnType<typeof files>, scope: Scope) {
  const file: FileOfMediaRow | undefined = await query.executeTakeFirst();
  return file && isFileInScope(scope, file) ? file : undefined;
}

async function listFiles(query: ReturnType<typeof files>, scope: Scope) {
  const rows: FileOfMediaRow[] = await query.execute();
  return rows.filter((file) => isFileInScope(scope, file));
}

/** Tells whether the media item of a file is in a scope. */
export function isFileInScope(
  scope: Scope,
  file: Pick<FileOfMediaRow, 'media_id' | 'parent_id' | 'path' | 'owner' | 'is_public'>,
): boolean {
  return isInScope(scope, { ...file, id: file.media_id });
}
