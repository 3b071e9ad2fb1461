import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import type { MediaRow } from '../table.ts';

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

/**
 * The rows of the folders by the names from the top, `/Design/Logos`, whoever may see them: as names are not unique,
 * those of all branches that are called so, in the order of the tree.
 */
export async function listFoldersByPath(db: Db, path: string): Promise<MediaRow[]> {
  const names = path.split('/').filter(Boolean);
  if (names.length === 0) return [];
  let parentIds = [ROOT_ID];
  for (const name of names.slice(0, -1)) {
    parentIds = (await foldersIn(db, parentIds, name)).map(({ id }) => id);
    if (parentIds.length === 0) return [];
  }
  return foldersIn(db, parentIds, names.at(-1) ?? '');
}

async function foldersIn(db: Db, parentIds: readonly number[], name: string): Promise<MediaRow[]> {
  const byParent = Map.groupBy(
    await listFoldersByName(db, parentIds, name),
    (row) => row.parent_id,
  );
  return parentIds.flatMap((id) => byParent.get(id) ?? []);
}

function folders(db: Db) {
  return db.selectFrom('media').where('type', '=', 'folder').where('id', '!=', ROOT_ID).selectAll();
}
