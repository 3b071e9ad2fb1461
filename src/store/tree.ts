import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from './db.ts';
import { isAnyOf, lockRow } from './dialect.ts';
import { ROOT_ID } from './folder.ts';
import type { Database, MediaRow } from './table.ts';

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

/** Folders and media, unordered; missing ids are absent. Never the root. */
export function listNodesByIds(db: Db, ids: readonly number[]): Promise<MediaRow[]> {
  return db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .where('id', '!=', ROOT_ID)
    .selectAll()
    .execute();
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
): Promise<Pick<MediaRow, 'id' | 'parent_id' | 'is_public'>[]> {
  return db
    .selectFrom('media')
    .where('type', '!=', 'folder')
    .where((eb) => isInBranch(eb, branch))
    .select(['id', 'parent_id', 'is_public'])
    .execute();
}

/** Where the bytes of everything in a branch are. */
export async function listBlobKeysInBranch(db: Db, branch: Branch): Promise<string[]> {
  const rows = await db
    .selectFrom('file')
    .where('media_id', 'in', (eb) =>
      eb
        .selectFrom('media')
        .where((eb) => isInBranch(eb, branch))
        .select('id'),
    )
    .select('blob_key')
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

// Paths end in `/`, and `0` is the character after it: a range of the index.
function isBelow(eb: MediaExpressions, below: string): Expression<SqlBool> {
  return eb.and([eb('path', '>=', below), eb('path', '<', `${below.slice(0, -1)}0`)]);
}
