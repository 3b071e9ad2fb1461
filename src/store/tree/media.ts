import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import { findInScope, listInScope, type Scope } from '../scope.ts';

/** Returns the media item; undefined for a folder. */
export function findMediaById(db: Db, scope: Scope, id: number) {
  return findInScope(medias(db).where('id', '=', id), scope);
}

/** Returns the media item; undefined for a folder. Uuids are stored in lower case. */
export function findMediaByUuid(db: Db, scope: Scope, uuid: string) {
  return findInScope(medias(db).where('uuid', '=', uuid), scope);
}

/** Returns the media item by the Importer's name for its group of files: its uuid, if it was not given a name. */
export function findMediaByResource(db: Db, scope: Scope, resource: string) {
  return findInScope(
    medias(db).where((eb) => eb(eb.fn.coalesce('resource', 'uuid'), '=', resource)),
    scope,
  );
}

/** Returns the media that exist, unordered. */
export function listMediasByIds(db: Db, scope: Scope, ids: readonly number[]) {
  return listInScope(medias(db, ids.length).where(isAnyOf(db, 'id', ids)), scope);
}

/** Deletes media, or folders, with the rows of their files. The bytes are left to the caller. */
export async function deleteNodes(db: Db, ids: readonly number[]): Promise<void> {
  await db
    .deleteFrom('file')
    .where(isAnyOf(db, 'media_id', ids))
    .execute();
  await db
    .deleteFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

function medias(db: Db, lookups = 1) {
  return inline(db, lookups).selectFrom('media').where('type', '!=', 'folder').selectAll();
}
