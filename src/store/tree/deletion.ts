import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { findBy, inline } from '../inline.ts';
import { pathBelow, type Subtree } from '../path.ts';
import type { DeletionRow, NewDeletionRow } from '../table.ts';

/** What jobs delete at the moment. */
export interface Deleted {
  subtrees: readonly Subtree[];
  tagIds: ReadonlySet<number>;
}

/** Returns the subtrees and tags that are being deleted, in one statement. */
export async function listDeleted(db: Db): Promise<Deleted> {
  const { rows } = await sql<{ id: number; path: string | null }>`
    select media.id, media.path from "deletion" join media on media.id = deletion.node_id
    union all select id, null from tag
      where (deleted_at is not null or indexed_up_to is not null) and deleted_at is not null`.execute(
    inline(db),
  );
  const subtrees = rows.flatMap(({ id, path }) =>
    path === null ? [] : [{ id, below: pathBelow({ id, path }) }],
  );
  const tagIds = rows.flatMap(({ id, path }) => (path === null ? [id] : []));
  return { subtrees, tagIds: new Set(tagIds) };
}

/** Marks a subtree as being deleted. */
export async function insertDeletion(db: Db, deletion: NewDeletionRow): Promise<void> {
  await db.insertInto('deletion').values(deletion).execute();
}

/** Returns the row of a subtree that is being deleted, by its top node. */
export function findDeletion(db: Db, nodeId: number): Promise<DeletionRow | undefined> {
  return findBy(db, 'deletion', 'node_id', nodeId);
}

/** Returns the rows of all subtrees that are being deleted. */
export function listDeletions(db: Db): Promise<DeletionRow[]> {
  return inline(db).selectFrom('deletion').selectAll().execute();
}
