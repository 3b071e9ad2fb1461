import type { Db } from './db.ts';
import { isAnyOf } from './dialect.ts';
import type { MediaRow } from './table.ts';

/** Parent of everything at top level. No road ever shows it. */
export const ROOT_ID = 1;

/** Never the root. */
export function findFolderById(db: Db, id: number): Promise<MediaRow | undefined> {
  return folders(db).where('id', '=', id).executeTakeFirst();
}

/** Never the root. */
export function findFolderByUuid(db: Db, uuid: string): Promise<MediaRow | undefined> {
  return folders(db).where('uuid', '=', uuid).executeTakeFirst();
}

/** The folders of that name in any of these folders, by their order. */
export function listFoldersByName(
  db: Db,
  parentIds: readonly number[],
  name: string,
): Promise<MediaRow[]> {
  return folders(db)
    .where(isAnyOf(db, 'parent_id', parentIds))
    .where('name', '=', name)
    .orderBy('sort_order')
    .orderBy('id')
    .execute();
}

/** Unordered; missing ids are absent. */
export function listFoldersByIds(db: Db, ids: readonly number[]): Promise<MediaRow[]> {
  return folders(db)
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

function folders(db: Db) {
  return db.selectFrom('media').where('type', '=', 'folder').where('id', '!=', ROOT_ID).selectAll();
}
