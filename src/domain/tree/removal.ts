import { listBlobKeysByMediaIds, listRenditionBlobKeys } from '../../store/file/blob-key.ts';
import { deleteVersionsAndAddresses } from '../../store/file/version.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { DeletionRow, NodeRow } from '../../store/table.ts';
import { deleteNodes } from '../../store/tree/media.ts';
import { lockNodes } from '../../store/tree/node.ts';
import type { DeletedNode } from '../../store/tree/subtree.ts';
import type { Context } from '../context.ts';
import { nodeEvent } from '../event/event.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { recordAudit } from '../viewer/audit.ts';
import { copyToTrash, type Discarded, deletionOf } from './discard.ts';
import { nodeTarget } from './node.ts';

/**
 * Deletes nodes with their files, and publishes the events. Each goes into the trash, or for ever, as the nearest of the
 * deletions above it says; a node without one stays. The trash keeps the bytes of files and versions, those of
 * renditions are deleted. `announcedId` is a node whose deletion has been published before.
 */
export async function removeNodes(
  ctx: Context,
  nodes: readonly DeletedNode[],
  deletions: readonly DeletionRow[],
  announcedId?: number,
): Promise<void> {
  const removed = nodes.flatMap((node) => {
    const deletion = deletionOf(node, deletions);
    return deletion === undefined ? [] : { ...node, deletion };
  });
  const ids = idsOf(removed);
  await lockNodes(ctx.db, ids);
  const kept = removed.filter((node): node is Discarded => node.deletion.trash !== null);
  const lost = removed.filter(({ deletion }) => deletion.trash === null);
  const blobKeys = [
    ...(await listRenditionBlobKeys(ctx.db, EVERYTHING, idsOf(kept))),
    ...(await listBlobKeysByMediaIds(ctx.db, EVERYTHING, idsOf(lost))),
    ...(lost.length > 0 ? await deleteVersionsAndAddresses(ctx.db, idsOf(lost)) : []),
  ];
  if (kept.length > 0) await copyToTrash(ctx, kept);
  await deleteNodes(ctx.db, ids);
  await enqueueBlobDeletion(ctx, blobKeys);
  for (const node of removed) {
    if (node.id !== announcedId) ctx.events.publish(nodeEvent('deleted', node));
  }
}

/** Records the deletion of nodes; `details` for all of them. */
export function recordDeletion(
  ctx: Context,
  nodes: readonly Pick<NodeRow, 'id' | 'type' | 'name'>[],
  { trash }: DeletionRow,
  details: object = {},
): Promise<void> {
  const facts = { ...details, ...(trash === null && { permanently: true }) };
  const entries = nodes.map(
    (node) => ({ action: 'delete', target: nodeTarget(node), details: facts }) as const,
  );
  return recordAudit(ctx, ...entries);
}

function idsOf(nodes: readonly DeletedNode[]): number[] {
  return nodes.map(({ id }) => id);
}
