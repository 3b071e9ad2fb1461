import { sql } from 'kysely';
import { cleanName } from '../../lib/name.ts';
import type { Db } from '../db.ts';
import { isAnyOf, isOneOf, tableBy } from '../dialect.ts';
import { inline } from '../inline.ts';
import { unindexed } from '../plan.ts';
import { EVERYTHING, findInScope, listInScope, type Scope } from '../scope.ts';
import type { NodeRow } from '../table.ts';
import { preparedNodes } from './by-id.ts';

/** Id of the hidden folder that holds the nodes at top level. No dialect ever shows it. */
export const ROOT_ID = 1;

const byId = preparedNodes((db, ids) =>
  db
    .selectFrom('media')
    .where(unindexed(db, 'type'), '=', 'folder')
    .where('id', '!=', ROOT_ID)
    .where(isAnyOf(db, 'id', ids)),
);

/** Returns the folder, which is never the root. */
export const findFolderById = byId.find;

/** Returns the folder, which is never the root. Uuids are stored in lower case. */
export function findFolderByUuid(db: Db, scope: Scope, uuid: string) {
  return findInScope(folders(db).where('uuid', '=', uuid), scope);
}

/** Returns the folders of that name in any of these folders, in their order. */
export function listFoldersByName(
  db: Db,
  scope: Scope,
  parentIds: readonly number[],
  name: string,
) {
  // The root has no parent. Without statistics, SQLite would read all folders.
  const ids = sql`select id from ${tableBy(db, 'media', 'media_folder_name')}
    where type = 'folder' and ${isAnyOf(db, 'parent_id', parentIds)} and name = ${name}`;
  const found = inline(db)
    .selectFrom('media')
    .where(isOneOf(db, 'id', ids))
    .selectAll();
  return listInScope(found.orderBy('sort_order').orderBy('id'), scope);
}

/** Returns the folders that exist, unordered. */
export const listFoldersByIds = byId.list;

/**
 * Returns the folders at a path of names from the top, `/Design/Logos`, in the order of the tree. Names are not unique:
 * all folders at that path are returned. The folders above them may be outside the scope.
 */
export async function listFoldersByPath(db: Db, scope: Scope, path: string): Promise<NodeRow[]> {
  const names = path.split('/').map(cleanName).filter(Boolean);
  if (names.length === 0) return [];
  let parentIds = [ROOT_ID];
  for (const name of names.slice(0, -1)) {
    parentIds = (await foldersIn(db, EVERYTHING, parentIds, name)).map(({ id }) => id);
    if (parentIds.length === 0) return [];
  }
  return foldersIn(db, scope, parentIds, names.at(-1) ?? '');
}

async function foldersIn(
  db: Db,
  scope: Scope,
  parentIds: readonly number[],
  name: string,
): Promise<NodeRow[]> {
  const rows = await listFoldersByName(db, scope, parentIds, name);
  const byParent = Map.groupBy(rows, (row) => row.parent_id);
  return parentIds.flatMap((id) => byParent.get(id) ?? []);
}

function folders(db: Db) {
  return folderRows(inline(db)).selectAll();
}

function folderRows(db: Db) {
  return db.selectFrom('media').where('type', '=', sql.lit('folder')).where('id', '!=', ROOT_ID);
}
