import { type SelectQueryBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, lockRows } from '../dialect.ts';
import { inline } from '../inline.ts';
import { blobKeysOf } from '../result.ts';
import { inScope, type Scope } from '../scope.ts';
import type { Database } from '../table.ts';

/**
 * The places that refer to the bytes of files, which nothing may delete: the one list of them, for sweeps and checks.
 * Each has a unique index on `blob_key`. `file` is the row of a file as JSON; null: the row is a file or a version itself. Bytes move
 * from one place to another in a transaction, so that a statement over all places finds them in one.
 */
const PLACES = [
  { table: 'file', updatedAt: 'updated_at', file: null },
  { table: 'file_version', updatedAt: 'replaced_at', file: null },
  { table: 'trashed_row', updatedAt: null, file: 'row' },
] as const;

/** Returns those of the given blob keys that a file, or a version of one, refers to, in the library or in the trash. */
export function listKnownFileBlobKeys(db: Db, keys: readonly string[]): Promise<string[]> {
  const reader = inline(db, PLACES.length * keys.length);
  const parts = PLACES.map(({ table }) =>
    placeIn(reader, table)
      .where(isAnyOf(db, 'blob_key', keys))
      .select(sql<string>`blob_key`.as('blob_key')),
  );
  return blobKeysOf(parts.reduce((all, part) => all.unionAll(part)));
}

/** Starts a query over a place. Kysely cannot resolve the columns of any of them. */
function placeIn(db: Db, table: (typeof PLACES)[number]['table']) {
  return db.selectFrom(table as 'trashed_row');
}

/** A range of blob keys: `after` is not part of it, `upTo` is; without `upTo` it has no end. */
export interface BlobKeyRange {
  after: string;
  upTo: string | null;
}

/** A file whose bytes should exist. */
export interface StoredFile {
  uuid: string;
  blob_key: string;
  size_bytes: number;
  updated_at: number;
  /** Whether it is in the library, and not in the trash. */
  isLive: boolean;
}

/**
 * Lists the first `limit` files, and versions of files, whose blob keys are in a range, in the library or in the trash, in
 * the order of the keys.
 */
export async function listFilesByBlobKey(
  db: Db,
  { after, upTo }: BlobKeyRange,
  limit: number,
): Promise<StoredFile[]> {
  const reader = inline(db, PLACES.length * limit);
  const parts = PLACES.map(({ table, updatedAt, file }) => {
    const all = placeIn(reader, table).where('blob_key', '>', after);
    const isFile = file === null;
    const rows = (upTo === null ? all : all.where('blob_key', '<=', upTo))
      .orderBy('blob_key')
      .limit(limit)
      .select([
        sql<string>`blob_key`.as('blob_key'),
        'size_bytes',
        sql<string | null>`${isFile ? sql`uuid` : sql`null`}`.as('uuid'),
        sql<number | null>`${updatedAt ? sql.ref(updatedAt) : sql`cast(null as bigint)`}`.as(
          'updated_at',
        ),
        sql<string | null>`${isFile ? sql`null` : sql.ref(file)}`.as('file'),
      ]);
    // PostgreSQL would not read the places in the order of their indexes without limits of their own.
    return reader.selectFrom(rows.as('listed')).selectAll();
  });
  const all = parts.reduce((all, part) => all.unionAll(part));
  const rows: ListedRow[] = await all.orderBy('blob_key').limit(limit).execute();
  return rows.map(toStoredFile);
}

/** A row of a place: either the columns of a file, or its row as JSON. */
interface ListedRow {
  blob_key: string;
  size_bytes: number;
  uuid: string | null;
  updated_at: number | null;
  file: string | null;
}

function toStoredFile({ blob_key, size_bytes, file, ...columns }: ListedRow): StoredFile {
  const { uuid, updated_at } = file === null ? columns : JSON.parse(file);
  return { uuid, blob_key, size_bytes, updated_at, isLive: file === null };
}

/** Returns the blob keys of the renditions of these media. Locks the media as `listBlobKeysByMediaIds` does. */
export function listRenditionBlobKeys(
  db: Db,
  scope: Scope,
  mediaIds: readonly number[],
): Promise<string[]> {
  const medias = db.selectFrom('media').where(isAnyOf(db, 'media.id', mediaIds));
  return blobKeysOf(renditionsOf(db, inScope(db, medias, scope).select('media.id')));
}

/**
 * Returns the blob keys of the files of these media, those of variants and renditions included; `deleteVersionsAndAddresses`
 * returns those of versions. Until the end of the transaction, no other transaction can add bytes to them.
 */
export function listBlobKeysByMediaIds(
  db: Db,
  scope: Scope,
  mediaIds: readonly number[],
): Promise<string[]> {
  const medias = db.selectFrom('media').where(isAnyOf(db, 'media.id', mediaIds));
  return lockedBlobKeys(db, inScope(db, medias, scope).select('media.id'));
}

type Medias = SelectQueryBuilder<Database, 'media', { id: number }>;

async function lockedBlobKeys(db: Db, medias: Medias): Promise<string[]> {
  await lockRows(db, medias.orderBy('id'));
  const files = db.selectFrom('file').where('media_id', 'in', medias).select('blob_key');
  return blobKeysOf(files.unionAll(renditionsOf(db, medias)));
}

function renditionsOf(db: Db, medias: Medias) {
  return db
    .selectFrom('rendition')
    .innerJoin('file', 'file.id', 'rendition.file_id')
    .where('file.media_id', 'in', medias)
    .select('rendition.blob_key');
}
