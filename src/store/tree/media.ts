import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { ifInScope, isInScope, type Scope } from '../scope.ts';
import type { NodeRow } from '../table.ts';

/** Returns the media item; undefined for a folder. */
export async function findMediaById(
  db: Db,
  scope: Scope,
  id: number,
): Promise<NodeRow | undefined> {
  const row = await medias(db).where('id', '=', id).executeTakeFirst();
  return ifInScope(scope, row);
}

/** Returns the media item; undefined for a folder. Uuids are stored in lower case. */
export async function findMediaByUuid(
  db: Db,
  scope: Scope,
  uuid: string,
): Promise<NodeRow | undefined> {
  const row = await medias(db).where('uuid', '=', uuid).executeTakeFirst();
  return ifInScope(scope, row);
}

/** Returns the media item by the Importer's name for its group of files: its uuid, if it was not given a name. */
export async function findMediaByResource(
  db: Db,
  scope: Scope,
  resource: string,
): Promise<NodeRow | undefined> {
  const row = await medias(db)
    .where((eb) => eb(eb.fn.coalesce('resource', 'uuid'), '=', resource))
    .executeTakeFirst();
  return ifInScope(scope, row);
}

/** Returns the media that exist, unordered. */
export async function listMediasByIds(
  db: Db,
  scope: Scope,
  ids: readonly number[],
): Promise<NodeRow[]> {
  const rows = await medias(db)
    .where(isAnyOf(db, 'id', ids))
    .execute();
  return rows.filter((row) => isInScope(scope, row));
}

/** Deletes media with the rows of their files. The bytes are left to the caller. */
export async function deleteMedias(db: Db, ids: readonly number[]): Promise<void> {
  await db
    .deleteFrom('file')
    .where(isAnyOf(db, 'media_id', ids))
    .execute();
  await db
    .deleteFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

function medias(db: Db) {
  return db.selectFrom('media').where('type', '!=', 'folder').selectAll();
}
