import { z } from 'zod';
import { listNodesByIds, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { parseInput } from '../input.ts';
import { updateFolder } from '../tree/folder.ts';
import { mediaInput } from '../tree/media.ts';
import { updateMedia } from '../tree/media-change.ts';
import { moveNodes } from '../tree/move.ts';
import { nodesByIds, type TreeNode } from '../tree/node-list.ts';
import { TOP_LEVEL_ID } from '../tree/place.ts';
import { authorizeExisting, scopeOf } from '../viewer/access.ts';
import { type Replacement, replaceFile } from './replacement.ts';

const nodeChange = mediaInput
  .pick({ name: true, sortOrder: true, focalPoint: true, crops: true })
  .extend({
    /** Null: to top level. */
    parentId: z.int().nullish(),
  });

type Change = z.output<typeof nodeChange>;

/** Returns if the viewer may change this node. Throws NotFoundError, ForbiddenError. */
export async function authorizeChange(ctx: Context, id: number): Promise<void> {
  const [row] = await listNodesByIds(ctx.db, scopeOf(ctx), [id]);
  const operation = row?.type === 'folder' ? 'folder.update' : 'media.update';
  authorizeExisting(ctx, operation, row, { noun: 'node', id });
}

/** What of a node can change at once. */
export type NodeChange = z.input<typeof nodeChange>;

/**
 * Changes a folder or a media in one go: what is given, the place in the tree and the file included; an absent
 * field stays. A node that moves comes last in its new folder, unless `sortOrder` says otherwise.
 * `updatedAt` moves forward, whatever the clock does. Needs the creator or an admin. Throws NotFoundError,
 * InvalidInputError, FolderCycleError, and what `replaceFile` does.
 */
export async function changeNode(
  ctx: Context,
  id: number,
  input: NodeChange,
  replacement?: Replacement,
): Promise<TreeNode> {
  const change = parseInput(nodeChange, input);
  if (replacement === undefined) return transact(ctx, (ctx) => apply(ctx, id, change));
  return replaceFile(ctx, id, replacement, (ctx) => apply(ctx, id, change));
}

async function apply(ctx: Context, id: number, change: Change): Promise<TreeNode> {
  const { name, parentId, sortOrder, focalPoint, crops } = change;
  const before = await findNode(ctx, id);
  if (parentId !== undefined && !isIn(before, parentId)) {
    await moveNodes(ctx, { ids: [id], parentId });
  }
  if (before.type === 'folder') await updateFolder(ctx, id, { name, sortOrder });
  else await updateMedia(ctx, id, { name, sortOrder, focalPoint, crops });
  const after = await findNode(ctx, id);
  if (after.updatedAt > before.updatedAt) return after;
  const updatedAt = new Date(before.updatedAt.getTime() + 1);
  await updateNode(ctx.db, id, { updated_at: updatedAt.getTime() });
  return { ...after, updatedAt };
}

/** Top level has an id, and is no node's `parentId`; what is in no folder is not there either. */
function isIn({ level, parentId }: TreeNode, folderId: number | null): boolean {
  const folder = folderId === TOP_LEVEL_ID ? null : folderId;
  return level > 0 && parentId === folder;
}

async function findNode(ctx: Context, id: number): Promise<TreeNode> {
  const [node] = await nodesByIds(ctx, [id]);
  if (node === undefined) throw new NotFoundError('node', id);
  return node;
}
