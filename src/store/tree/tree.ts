import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, lockRow, lockRows } from '../dialect.ts';
import type { Database, MediaRow } from '../table.ts';
import { ROOT_ID } from './folder.ts';
import { endOfPath, filteredNodes, type MediaFilter } from './media-filter.ts';

/** A folder and everything below it. */
export interface Branch {
  id: number;
  /** `path` of what is directly in it. */
  below: string;
}

/** The `path` of what is directly in a folder. */
export function pathBelow({ id, path }: Pick<MediaRow, 'id' | 'path'>): string {
  return `${path}${id}/`;
}

/** Until the end of the transaction nobody else moves anything in the tree. */
export async function lockTree(db: Db): Promise<void> {
  await lockRow(db, 'media', ROOT_ID);
}

/** Until the end of the transaction nobody else changes what locks this node as well. */
export async function lockNode(db: Db, id: number): Promise<void> {
  await lockRow(db, 'media', id);
}

/** The same for many, in an order in which nobody waits for somebody who waits for him. */
export async function lockNodes(db: Db, ids: readonly number[]): Promise<void> {
  const nodes = db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .orderBy('id')
    .select('id');
  await lockRows(db, nodes);
}

/** Folders and media, unordered; missing ids are absent. Never the root. */
export function listNodesByIds(db: Db, ids: readonly number[]): Promise<MediaRow[]> {
  return db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .where('id', '!=', ROOT_ID)
    .selectAll()
    .execute();
}

/** Folders and media, unordered; missing ones are absent. Never the root. Uuids are stored in lower case. */
export function listNodesByUuids(db: Db, uuids: readonly string[]): Promise<MediaRow[]> {
  return db
    .selectFrom('media')
    .where(isAnyOf(db, 'uuid', uuids))
    .where('id', '!=', ROOT_ID)
    .selectAll()
    .execute();
}

/** A folder or a media. Never the root. Uuids are stored in lower case. */
export function findNodeByUuid(db: Db, uuid: string): Promise<MediaRow | undefined> {
  return db
    .selectFrom('media')
    .where('uuid', '=', uuid)
    .where('id', '!=', ROOT_ID)
    .selectAll()
    .executeTakeFirst();
}

/** A part of a list by number, and not by what comes before it. */
export interface Window {
  offset: number;
  limit: number;
}

/** What the filter lets through, by its place in its folder: a part of it, or all. */
export function listNodesInOrder(
  db: Db,
  filter: MediaFilter,
  window?: Window,
): Promise<MediaRow[]> {
  const ordered = filteredNodes(db, filter).selectAll().orderBy('sort_order').orderBy('id');
  return (window ? ordered.limit(window.limit).offset(window.offset) : ordered).execute();
}

/** Where a node, and all below it, goes. */
export interface Move {
  id: number;
  parentId: number;
  sortOrder: number;
  from: Pick<MediaRow, 'path' | 'level'>;
  to: Pick<MediaRow, 'path' | 'level'>;
  now: number;
}

/** Moves a node with all that is below it, in two statements whatever the size of the branch. */
export async function moveBranch(db: Db, move: Move): Promise<void> {
  const { id, from, to } = move;
  const below = pathBelow({ id, path: from.path });
  await db
    .updateTable('media')
    .set({
      path: sql<string>`${pathBelow({ id, path: to.path })} || substr(path, ${below.length + 1})`,
      level: sql<number>`level + ${to.level - from.level}`,
    })
    .where((eb) => isBelow(eb, below))
    .execute();
  await db
    .updateTable('media')
    .set({
      parent_id: move.parentId,
      path: to.path,
      level: to.level,
      sort_order: move.sortOrder,
      updated_at: move.now,
    })
    .where('id', '=', id)
    .execute();
}

/** Whether there is anything in a folder. */
export async function hasNodesIn(db: Db, folderId: number): Promise<boolean> {
  const found = db.selectFrom('media').where('parent_id', '=', folderId).select('id').limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

/** Whether something in a branch is not of this owner. */
export async function hasNodesOfOthers(db: Db, branch: Branch, owner: string): Promise<boolean> {
  const found = db
    .selectFrom('media')
    .where((eb) => isInBranch(eb, branch))
    .where((eb) => eb.or([eb('owner', '!=', owner), eb('owner', 'is', null)]))
    .select('id')
    .limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

/** The media in a branch, with what tells who may see them. */
export function listMediasInBranch(
  db: Db,
  branch: Branch,
): Promise<Pick<MediaRow, 'id' | 'parent_id' | 'path' | 'owner' | 'is_public'>[]> {
  return db
    .selectFrom('media')
    .where('type', '!=', 'folder')
    .where((eb) => isInBranch(eb, branch))
    .select(['id', 'parent_id', 'path', 'owner', 'is_public'])
    .execute();
}

/**
 * Where the bytes of everything in a branch are, those of renditions included. Until the end of the
 * transaction no more of these are made.
 */
export async function listBlobKeysInBranch(db: Db, branch: Branch): Promise<string[]> {
  const medias = db
    .selectFrom('media')
    .where((eb) => isInBranch(eb, branch))
    .select('id');
  await lockRows(db, medias.orderBy('id'));
  const renditions = db
    .selectFrom('rendition')
    .innerJoin('file', 'file.id', 'rendition.file_id')
    .where('file.media_id', 'in', medias)
    .select('rendition.blob_key');
  const rows = await db
    .selectFrom('file')
    .where('media_id', 'in', medias)
    .select('blob_key')
    .unionAll(renditions)
    .execute();
  return rows.map((row) => row.blob_key);
}

/** Deletes everything in a branch, the folder itself included. */
export async function deleteBranch(db: Db, branch: Branch): Promise<void> {
  await db
    .deleteFrom('file')
    .where('media_id', 'in', (eb) =>
      eb
        .selectFrom('media')
        .where((eb) => isInBranch(eb, branch))
        .select('id'),
    )
    .execute();
  await db
    .deleteFrom('media')
    .where((eb) => isInBranch(eb, branch))
    .execute();
}

type MediaExpressions = Pick<ExpressionBuilder<Database, 'media'>, 'and' | 'or'> &
  ExpressionBuilder<Database, 'media'>;

function isInBranch(eb: MediaExpressions, { id, below }: Branch): Expression<SqlBool> {
  return eb.or([eb('id', '=', id), isBelow(eb, below)]);
}

// A range of the index.
function isBelow(eb: MediaExpressions, below: string): Expression<SqlBool> {
  return eb.and([eb('path', '>=', below), eb('path', '<', endOfPath(below))]);
}
