import type { DeletionRow, NewTrashedRow, NodeRow, TrashedNodeRow } from '../../store/table.ts';
import {
  findOwners,
  type HangingRow,
  insertTrashed,
  type JobOfNode,
  listHangingRows,
  listJobsOfNodes,
  listWholeNodes,
} from '../../store/trash/row.ts';
import type { DeletedNode } from '../../store/tree/subtree.ts';
import type { Context } from '../context.ts';

/** A job of a node in the trash. */
export interface TrashedJob {
  id: number;
  /** The job itself if it had not ended when the node was deleted: it has found nothing to do since. */
  open?: Pick<JobOfNode, 'job_class' | 'arguments' | 'unicity'>;
}

/**
 * Returns the deletion of a node, and of everything below it if it is a folder. `permanently`: it does not go into the
 * trash, nor does it where `TRIVIUM_TRASH_DAYS` is 0.
 */
export function newDeletion(ctx: Context, id: number, permanently = false): DeletionRow {
  const isKept = ctx.settings.trashDays > 0 && !permanently;
  const { viewer, clock } = ctx;
  return {
    node_id: id,
    deleted_by: viewer.id,
    created_at: clock(),
    trash: isKept ? ctx.newId() : null,
  };
}

/** Returns the deletion that a node belongs to: that of the nearest folder, if several are in progress. */
export function deletionOf(
  { id, path }: Pick<NodeRow, 'id' | 'path'>,
  deletions: readonly DeletionRow[],
): DeletionRow | undefined {
  const self = deletions.find(({ node_id }) => node_id === id);
  if (self !== undefined) return self;
  const depthOf = ({ node_id }: DeletionRow) => path.lastIndexOf(`/${node_id}/`);
  const above = deletions.filter((deletion) => depthOf(deletion) >= 0);
  return above.sort((a, b) => depthOf(b) - depthOf(a))[0];
}

/** A node on its way into the trash. */
export interface Discarded extends DeletedNode {
  deletion: DeletionRow & { trash: string };
}

/**
 * Copies nodes into the trash, with the rows that leave with them. The nodes are locked, and the caller deletes their
 * rows afterwards.
 */
export async function copyToTrash(ctx: Context, nodes: readonly Discarded[]): Promise<void> {
  const ids = nodes.map(({ id }) => id);
  const rows = new Map((await listWholeNodes(ctx.db, ids)).map((row) => [row.id, row]));
  // Another transaction may have been faster.
  const left = nodes.filter(({ id }) => rows.has(id));
  if (left.length === 0) return;
  const parentIds = new Set(left.flatMap(({ parent_id }) => parent_id ?? []));
  const owners = await findOwners(ctx.db, [...parentIds]);
  const jobs = Map.groupBy(await listJobsOfNodes(ctx.db, ids), ({ media_id }) => media_id ?? 0);
  const trashed = left.map((node) =>
    toTrashedNode(node, rows.get(node.id) as NodeRow, owners, jobs.get(node.id) ?? []),
  );
  const hanging = await listHangingRows(ctx.db, ids);
  await insertTrashed(ctx.db, trashed, hanging.map(toTrashedRow));
}

/**
 * Adds the top of a large deletion to the trash as soon as the deletion begins, so that the trash shows it; its row
 * stays where it is until a job has moved everything below it.
 */
export async function announceTop(
  ctx: Context,
  top: NodeRow,
  deletion: Discarded['deletion'],
): Promise<void> {
  const trashed = toTrashedNode({ ...top, deletion }, top, new Map(), []);
  await insertTrashed(ctx.db, [trashed], []);
}

function toTrashedNode(
  { deletion, path }: Discarded,
  row: NodeRow,
  owners: ReadonlyMap<number, string | null>,
  jobs: readonly JobOfNode[],
): TrashedNodeRow {
  const isTop = row.id === deletion.node_id;
  const isOwnersTop = isTop || owners.get(row.parent_id ?? 0) !== row.owner;
  const deletedAt = deletion.created_at;
  return {
    id: row.id,
    deletion: deletion.trash,
    place: isTop ? '' : path.slice(path.lastIndexOf(`/${deletion.node_id}/`) + 1),
    is_top: Number(isTop),
    is_owner_top: Number(isOwnersTop),
    deleted_at: deletedAt,
    deleted_by: deletion.deleted_by,
    type: row.type,
    parent_id: row.parent_id,
    path,
    owner: row.owner,
    client_hash: row.client_hash,
    resource: row.resource ?? row.uuid,
    row: JSON.stringify({ ...row, path, deleted_at: deletedAt }),
    jobs: JSON.stringify(jobs.map(toTrashedJob)),
  };
}

function toTrashedJob({ id, finished_at, job_class, unicity, ...job }: JobOfNode): TrashedJob {
  if (finished_at !== null) return { id };
  return { id, open: { job_class, arguments: job.arguments, unicity } };
}

function toTrashedRow({ nodeId, source, row }: HangingRow): NewTrashedRow {
  const { blob_key, size_bytes, ...columns } = row as Partial<NewTrashedRow>;
  return {
    node_id: nodeId,
    source,
    row: JSON.stringify(row),
    blob_key: blob_key ?? null,
    size_bytes: size_bytes ?? 0,
    md5: columns.md5 ?? null,
    sha256: columns.sha256 ?? null,
    damaged_at: columns.damaged_at ?? null,
    created_by: columns.created_by ?? null,
    client_hash: columns.client_hash ?? null,
  };
}

/** Returns the row that a node in the trash had, as it was when it was deleted, with the time of the deletion. */
export function parseTrashed({ row, deleted_at }: TrashedNodeRow): NodeRow {
  return { ...(JSON.parse(row) as NodeRow), deleted_at };
}
