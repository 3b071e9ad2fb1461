import type { Context } from '../context.ts';
import { foldersByIds } from '../tree/folder.ts';
import {
  childrenByOffset,
  countChildrenOfEach,
  listRoots,
  nodesByIds,
  type TreeNode,
} from '../tree/node-list.ts';
import { type File, filesByMediaIds, originalAmong } from './file.ts';

/** A node with the data that a listing of a folder shows. */
export interface Item {
  node: TreeNode;
  /** Its original file; null: it has no file. */
  file: File | null;
  /** Null: top level. */
  parentUuid: string | null;
  hasChildren: boolean;
}

/** Returns the items at top level, in their order; for a viewer with start nodes, the start nodes. */
export async function listRootItems(ctx: Context): Promise<Item[]> {
  return itemsOf(ctx, await listRoots(ctx));
}

/** Returns a part of the items in a folder, in their order, and the count of all. */
export async function childItemsByOffset(
  ctx: Context,
  folder: TreeNode,
  window: Parameters<typeof childrenByOffset>[2],
): Promise<{ items: Item[]; total: number }> {
  const { nodes, total } = await childrenByOffset(ctx, folder.id, window);
  return { items: await itemsOf(ctx, nodes, [folder]), total };
}

/** Returns the item of a node, or null if the node has been deleted since. */
export async function itemOf(ctx: Context, node: TreeNode): Promise<Item | null> {
  const [item] = await itemsOf(ctx, [node]);
  return item ?? null;
}

/**
 * Returns the items of nodes that the viewer may see, in their order, without those that have been deleted since.
 * `parents` are folders that the caller has read already.
 */
export async function itemsOf(
  ctx: Context,
  nodes: readonly TreeNode[],
  parents: readonly TreeNode[] = [],
): Promise<Item[]> {
  const folderIds = idsOf(nodes.filter(isFolder));
  const mediaIds = idsOf(nodes.filter((node) => !isFolder(node)));
  const counts = folderIds.length === 0 ? null : await countChildrenOfEach(ctx, folderIds, 'any');
  const files = mediaIds.length === 0 ? null : await filesByMediaIds(ctx, mediaIds);
  const fileless = mediaIds.filter((id) => originalAmong(files?.get(id)) === null);
  const deleted = await deletedAmong(ctx, fileless);
  const uuids = await parentUuids(ctx, nodes, parents);
  return nodes
    .filter(({ id }) => !deleted.has(id))
    .map((node) => ({
      node,
      file: originalAmong(files?.get(node.id)),
      parentUuid: uuids.get(node.parentId ?? 0) ?? null,
      hasChildren: (counts?.get(node.id) ?? 0) > 0,
    }));
}

function isFolder({ type }: TreeNode): boolean {
  return type === 'folder';
}

function idsOf(nodes: readonly TreeNode[]): number[] {
  return nodes.map(({ id }) => id);
}

/**
 * Returns those of the nodes without a file that have been deleted: an image whose file was deleted after the image was
 * read must not pass for a link.
 */
async function deletedAmong(ctx: Context, fileless: readonly number[]): Promise<Set<number>> {
  if (fileless.length === 0) return new Set();
  const left = new Set(idsOf(await nodesByIds(ctx, fileless)));
  return new Set(fileless.filter((id) => !left.has(id)));
}

async function parentUuids(
  ctx: Context,
  nodes: readonly TreeNode[],
  parents: readonly TreeNode[],
): Promise<Map<number, string>> {
  const uuids = new Map(parents.map(({ id, uuid }) => [id, uuid]));
  const unknown = nodes.flatMap(({ parentId }) => parentId ?? []).filter((id) => !uuids.has(id));
  if (unknown.length === 0) return uuids;
  for (const { id, uuid } of await foldersByIds(ctx, [...new Set(unknown)])) uuids.set(id, uuid);
  return uuids;
}
