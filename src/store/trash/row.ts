import { sql } from 'kysely';
import { withSortKey } from '../columns.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import type { Database, NewTrashedRow, NodeRow, TrashedNodeRow, TrashedRow } from '../table.ts';

/**
 * The tables whose rows leave with a node, in the order in which they come back, with the column that names the node. A
 * table of rows that refer to bytes has the columns `blob_key` and `size_bytes`.
 */
export const HANGING = [
  { source: 'file', by: 'media_id' },
  { source: 'media_tag', by: 'media_id' },
  { source: 'media_metadata', by: 'media_id' },
] as const;

/** A table whose rows leave with a node. */
export type HangingSource = (typeof HANGING)[number]['source'];

/** A row that leaves with a node. */
export interface HangingRow {
  nodeId: number;
  source: HangingSource;
  row: Record<string, unknown>;
}

/** A job of a node. */
export interface JobOfNode {
  id: number;
  job_class: string;
  arguments: string;
  unicity: string | null;
  media_id: number | null;
  finished_at: number | null;
}

/** Returns the whole rows of nodes, unordered. */
export function listWholeNodes(db: Db, ids: readonly number[]): Promise<NodeRow[]> {
  return db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .selectAll()
    .execute();
}

/** Returns the stored paths of nodes that have a row in the tree, unordered. */
export function listPaths(db: Db, ids: readonly number[]): Promise<{ id: number; path: string }[]> {
  return db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .select(['id', 'path'])
    .execute();
}

/** Returns the owners of nodes. */
export async function findOwners(
  db: Db,
  ids: readonly number[],
): Promise<Map<number, string | null>> {
  const rows = await db
    .selectFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .select(['id', 'owner'])
    .execute();
  return new Map(rows.map(({ id, owner }) => [id, owner]));
}

/** Returns the rows of other tables that leave with these nodes. */
export async function listHangingRows(db: Db, ids: readonly number[]): Promise<HangingRow[]> {
  const found: HangingRow[] = [];
  for (const { source, by } of HANGING) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(source)}
      where ${isAnyOf(db, by, ids)}`.execute(db);
    found.push(...rows.map((row) => ({ nodeId: Number(row[by]), source, row })));
  }
  return found;
}

const JOB_COLUMNS = ['id', 'job_class', 'arguments', 'unicity', 'media_id', 'finished_at'] as const;

/** Returns the jobs of these nodes. */
export function listJobsOfNodes(db: Db, ids: readonly number[]): Promise<JobOfNode[]> {
  return db
    .selectFrom('job')
    .where(isAnyOf(db, 'media_id', ids))
    .select(JOB_COLUMNS)
    .execute();
}

/** Returns the jobs that exist, unordered. */
export function listJobsById(db: Db, ids: readonly number[]): Promise<JobOfNode[]> {
  return db
    .selectFrom('job')
    .where(isAnyOf(db, 'id', ids))
    .select(JOB_COLUMNS)
    .execute();
}

/** Says again which node a job is of: its deletion has made that null. */
export async function updateJobsNode(
  db: Db,
  ids: readonly number[],
  nodeId: number,
): Promise<void> {
  const jobs = db.updateTable('job').set({ media_id: nodeId });
  await jobs.where(isAnyOf(db, 'id', ids)).execute();
}

/** Rows of one statement: SQLite allows 32,766 parameters. */
const ROWS = 500;

/**
 * Inserts nodes into the trash, and the rows that leave with them. The top of a large deletion may be there already: it
 * gets its last state.
 */
export async function insertTrashed(
  db: Db,
  nodes: readonly TrashedNodeRow[],
  hanging: readonly NewTrashedRow[],
): Promise<void> {
  await db
    .insertInto('trashed_node')
    .values([...nodes])
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        path: eb.ref('excluded.path'),
        row: eb.ref('excluded.row'),
      })),
    )
    .execute();
  for (let from = 0; from < hanging.length; from += ROWS) {
    const values = hanging.slice(from, from + ROWS);
    await db.insertInto('trashed_row').values(values).execute();
  }
}

/** Returns the rows of other tables that left with these nodes, in the order in which they were inserted. */
export function listTrashedRows(db: Db, nodeIds: readonly number[]): Promise<TrashedRow[]> {
  return db
    .selectFrom('trashed_row')
    .where(isAnyOf(db, 'node_id', nodeIds))
    .orderBy('id')
    .selectAll()
    .execute();
}

/** Deletes nodes from the trash, with the rows that left with them. The bytes are left to the caller. */
export async function deleteTrashed(db: Db, ids: readonly number[]): Promise<void> {
  // Not by the cascade: on PostgreSQL it would run one statement, with its triggers, for each node.
  await db
    .deleteFrom('trashed_row')
    .where(isAnyOf(db, 'node_id', ids))
    .execute();
  await db
    .deleteFrom('trashed_node')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

/**
 * Inserts rows that were in the trash. Those that were deleted before a column existed have no value for it: they get
 * its default. The keys that media are ordered by are made anew.
 */
export async function insertAgain(
  db: Db,
  table: 'media' | HangingSource,
  rows: readonly object[],
): Promise<void> {
  const complete = table === 'media' ? rows.map((row) => withSortKey(row as NodeRow)) : rows;
  const byColumns = Map.groupBy(complete, (row) => Object.keys(row).join(' '));
  for (const alike of byColumns.values()) {
    for (let from = 0; from < alike.length; from += ROWS) {
      await db
        .insertInto(table as keyof Database)
        .values(alike.slice(from, from + ROWS) as never)
        .execute();
    }
  }
}

const RESOURCE = sql<string>`coalesce(media.resource, media.uuid)`;

/** Returns those of the Importer's names for files that a media item has. */
export async function listTakenResources(db: Db, names: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('media')
    .where(isAnyOf(db, RESOURCE, names))
    .select(RESOURCE.as('name'))
    .execute();
  return rows.map(({ name }) => name);
}

/** Returns the owner of a node in the trash that has this name of a resource; undefined: there is none. */
export function findTrashedResource(
  db: Db,
  resource: string,
): Promise<Pick<TrashedNodeRow, 'owner'> | undefined> {
  return db
    .selectFrom('trashed_node')
    .where('resource', '=', resource)
    .limit(1)
    .select('owner')
    .executeTakeFirst();
}

/** Returns the first node in a part of the trash whose name for files another media item has by now. */
export async function findTakenBelow(
  db: Db,
  { deletion, below, belowEnd }: { deletion: string; below: string; belowEnd: string },
): Promise<{ id: number; resource: string } | undefined> {
  return db
    .selectFrom('trashed_node')
    .where('deletion', '=', deletion)
    .where('place', '>=', below)
    .where('place', '<', belowEnd)
    .where(sql<boolean>`exists (select 1 from media where ${RESOURCE} = trashed_node.resource)`)
    .select(['id', 'resource'])
    .limit(1)
    .executeTakeFirst();
}
