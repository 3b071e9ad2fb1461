import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { findBy, inline } from '../inline.ts';
import { pathBelow, type Subtree } from '../path.ts';
import { actualPath, type PathMoves } from '../path-move.ts';
import type { DeletionRow } from '../table.ts';

/** What jobs delete at the moment, and the moves whose rows they rewrite. */
export interface Pending {
  subtrees: readonly Subtree[];
  tagIds: ReadonlySet<number>;
  moved: PathMoves;
}

/** Returns the subtrees and tags that are being deleted, and the moves in progress, in one statement. */
export async function listPending(db: Db): Promise<Pending> {
  const { rows } = await sql<{ id: number; path: string; actual: string }>`
    select media.id, media.path, '' as actual from "deletion" join media on media.id = deletion.node_id
    union all select 0, stored, actual from path_move
    union all select id, '', '' from tag
      where (deleted_at is not null or indexed_up_to is not null) and deleted_at is not null`.execute(
    inline(db),
  );
  const moved = rows.flatMap(({ path, actual }) => (actual === '' ? [] : { stored: path, actual }));
  const others = rows.filter(({ actual }) => actual === '');
  const subtrees = others.flatMap(({ id, path }) =>
    path === '' ? [] : { id, below: pathBelow({ id, path: actualPath(moved, path) }) },
  );
  const tagIds = others.flatMap(({ id, path }) => (path === '' ? id : []));
  return { subtrees, tagIds: new Set(tagIds), moved };
}

/** Marks a subtree as being deleted. */
export async function insertDeletion(db: Db, deletion: DeletionRow): Promise<void> {
  await db.insertInto('deletion').values(deletion).execute();
}

/** Returns the row of a subtree that is being deleted, by its top node. */
export function findDeletion(db: Db, nodeId: number): Promise<DeletionRow | undefined> {
  return findBy(db, 'deletion', 'node_id', nodeId);
}

/** Makes a deletion in progress one for ever. What it has moved into the trash is left to the caller. */
export async function makePermanent(db: Db, nodeId: number): Promise<void> {
  const deletion = db.updateTable('deletion').set({ trash: null });
  await deletion.where('node_id', '=', nodeId).execute();
}

/** Ends a deletion in progress: the nodes that are left exist again. */
export async function deleteDeletion(db: Db, nodeId: number): Promise<void> {
  await db.deleteFrom('deletion').where('node_id', '=', nodeId).execute();
}

/** Returns the rows of all subtrees that are being deleted. */
export function listDeletions(db: Db): Promise<DeletionRow[]> {
  return inline(db).selectFrom('deletion').selectAll().execute();
}
