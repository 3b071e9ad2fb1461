import { sql } from 'kysely';
import { type Keyset, type PageRequest, pageOf, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { listOfEach } from '../group.ts';
import { inline } from '../inline.ts';
import { blobKeysOf } from '../result.ts';
import type { Scope, ScopeColumns } from '../scope.ts';
import type { NewVersionRow, VersionRow } from '../table.ts';
import { isFileInScope } from './file.ts';

/** A version with the columns of its media item that decide its visibility. */
export interface VersionOfMediaRow extends VersionRow, Omit<ScopeColumns, 'id'> {}

/** Inserts a version. */
export async function insertVersion(db: Db, version: NewVersionRow): Promise<void> {
  await db.insertInto('file_version').values(version).execute();
}

/** Deletes a version and returns it; undefined if the media item has no such version. The bytes are left to the caller. */
export function takeVersion(db: Db, mediaId: number, id: number): Promise<VersionRow | undefined> {
  return db
    .deleteFrom('file_version')
    .where('media_id', '=', mediaId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Deletes all versions of a media item but the latest `keptCount`. Returns their blob keys. */
export function deleteOldVersions(db: Db, mediaId: number, keptCount: number): Promise<string[]> {
  return blobKeysOf(
    db
      .deleteFrom('file_version')
      .where('media_id', '=', mediaId)
      .where('id', 'not in', (eb) =>
        eb
          .selectFrom('file_version')
          .where('media_id', '=', mediaId)
          .orderBy('id', 'desc')
          .limit(keptCount)
          .select('id'),
      )
      .returning('blob_key'),
  );
}

/**
 * Deletes all versions of these media and the names that their URLs had, for media that are deleted for good. Returns the
 * blob keys of the versions.
 */
export async function deleteVersionsAndAddresses(
  db: Db,
  mediaIds: readonly number[],
): Promise<string[]> {
  await db
    .deleteFrom('file_address')
    .where(isAnyOf(db, 'media_id', mediaIds))
    .execute();
  return blobKeysOf(
    db
      .deleteFrom('file_version')
      .where(isAnyOf(db, 'media_id', mediaIds))
      .returning('blob_key'),
  );
}

/** Returns the versions that exist, unordered. */
export async function listVersionsByIds(
  db: Db,
  scope: Scope,
  ids: readonly number[],
): Promise<VersionOfMediaRow[]> {
  const rows = await versionRows(inline(db, ids.length))
    .where(isAnyOf(db, 'file_version.id', ids))
    .execute();
  return rows.filter((version) => isFileInScope(scope, version));
}

/** Returns the version with this uuid if its media item has this first segment of URLs. */
export async function findVersionByUrl(
  db: Db,
  scope: Scope,
  { dir, uuid }: { dir: string; uuid: string },
): Promise<VersionOfMediaRow | undefined> {
  const version = await versionRows(inline(db))
    .innerJoin('file', (join) =>
      join.onRef('file.media_id', '=', 'file_version.media_id').on('file.key', '=', sql.lit('')),
    )
    .where('file_version.uuid', '=', uuid)
    .where('file.dir', '=', dir)
    .executeTakeFirst();
  return version && isFileInScope(scope, version) ? version : undefined;
}

/** Returns one page of the versions of each media item, in one statement. Every media item has an entry. */
export function listVersionsOfEach(
  db: Db,
  mediaIds: readonly number[],
  keyset: Keyset,
  request: PageRequest,
): Promise<Map<number, RowPage<VersionRow>>> {
  const members = db
    .selectFrom('file_version')
    .where(sql<boolean>`file_version.media_id = part.value`)
    .select('file_version.id');
  const page = pageOf(members, keyset, request);
  return listOfEach(db, 'file_version', page, mediaIds, { keyset, page: request });
}

/** Returns the number of versions of each media item; one without versions has no entry. */
export async function countVersionsOfEach(
  db: Db,
  mediaIds: readonly number[],
): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom('file_version')
    .where(isAnyOf(db, 'media_id', mediaIds))
    .select(['media_id', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy('media_id')
    .execute();
  return new Map(rows.map(({ media_id, count }) => [media_id, Number(count)]));
}

function versionRows(db: Db) {
  return db
    .selectFrom('file_version')
    .innerJoin('media', 'media.id', 'file_version.media_id')
    .select(['media.parent_id', 'media.path', 'media.owner', 'media.is_public'])
    .selectAll('file_version');
}
