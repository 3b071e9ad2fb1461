import { type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import type { MediaChange, MediaRow, NewMediaRow } from '../table.ts';
import { filteredNodes, type MediaFilter } from './media-filter.ts';

/** Never a folder. */
export function findMediaById(db: Db, id: number): Promise<MediaRow | undefined> {
  return medias(db).where('id', '=', id).executeTakeFirst();
}

/** Never a folder. Uuids are stored in lower case. */
export function findMediaByUuid(db: Db, uuid: string): Promise<MediaRow | undefined> {
  return medias(db).where('uuid', '=', uuid).executeTakeFirst();
}

/** By the Importer’s name for a group of files, which is the uuid where it gave none; never a folder. */
export function findMediaByResource(db: Db, resource: string): Promise<MediaRow | undefined> {
  return medias(db)
    .where((eb) => eb(eb.fn.coalesce('resource', 'uuid'), '=', resource))
    .executeTakeFirst();
}

/** Unordered; missing ids are absent. */
export function listMediasByIds(db: Db, ids: readonly number[]): Promise<MediaRow[]> {
  return medias(db)
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

/** One page of what the filter lets through. */
export function listNodes(
  db: Db,
  filter: MediaFilter,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<MediaRow>> {
  return listPage(filteredNodes(db, filter).selectAll(), keyset, page);
}

/** How many nodes the filter lets through. */
export async function countNodes(db: Db, filter: MediaFilter): Promise<number> {
  const { count } = await filteredNodes(db, filter)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** Returns the new row. A `resource` that is taken is a unique violation. */
export function insertMedia(db: Db, media: NewMediaRow): Promise<MediaRow> {
  return db.insertInto('media').values(media).returningAll().executeTakeFirstOrThrow();
}

/** Sets the columns that are given. */
export async function updateMedia(db: Db, id: number, columns: MediaChange): Promise<void> {
  await db.updateTable('media').set(columns).where('id', '=', id).execute();
}

/** Deletes media and the rows of their files; their tags go with them. */
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

/** What GraphQL's `Int` holds. Those that come after have the same place, in the order of their ids. */
export const SORT_ORDER_MAX = 2 ** 31 - 1;

/** The place after the last child of a folder: 0 in an empty one. */
export async function nextSortOrder(db: Db, parentId: number): Promise<number> {
  const { last } = await db
    .selectFrom('media')
    .where('parent_id', '=', parentId)
    .select((eb) => eb.fn.max<number | null>('sort_order').as('last'))
    .executeTakeFirstOrThrow();
  return last === null ? 0 : Math.min(last + 1, SORT_ORDER_MAX);
}

function medias(db: Db) {
  return db.selectFrom('media').where('type', '!=', 'folder').selectAll();
}
