import { z } from 'zod';
import { listNodesByIds, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { parseInput } from '../input.ts';
import { withLatest } from '../tree/deletion.ts';
import { updateFolder } from '../tree/folder.ts';
import { mediaInput } from '../tree/media.ts';
import { updateMedia } from '../tree/media-change.ts';
import { announceMove, moveNodes } from '../tree/move.ts';
import { nodesByIds, type TreeNode } from '../tree/node-list.ts';
import { TOP_LEVEL_ID } from '../tree/place.ts';
import { authorizeExisting, existing, scopeOf } from '../viewer/access.ts';
import { take } from './door.ts';
import { intoOriginal, type NewOriginal } from './original.ts';

const nodeChange = mediaInput
  .pick({ name: true, sortOrder: true, focalPoint: true, crops: true })
  .extend({
    /** Null: to top level. */
    parentId: z.int().nullish(),
  });

type Change = z.output<typeof nodeChange>;

/** Throws unless the viewer may change this node: NotFoundError, ForbiddenError. */
export async function authorizeChange(ctx: Context, id: number): Promise<void> {
  const [row] = await listNodesByIds(ctx.db, scopeOf(ctx), [id]);
  const operation = row?.type === 'folder' ? 'folder.update' : 'media.update';
  authorizeExisting(ctx, operation, row, { noun: 'node', id });
}

/** Input of `changeNode`. */
export type NodeChange = z.input<typeof nodeChange>;

/**
 * Changes a folder or a media item in one transaction, including its place in the tree and its original. An absent
 * field stays as it is. A node that moves comes last in its new folder, unless `sortOrder` is given. `updatedAt` always
 * increases, even if the clock does not. Needs the creator or an admin. Throws NotFoundError, InvalidInputError,
 * FolderCycleError, and the errors of `take` if there is a new original.
 */
export async function changeNode(
  ctx: Context,
  id: number,
  input: NodeChange,
  original?: NewOriginal,
): Promise<TreeNode> {
  const change = parseInput(nodeChange, input);
  const applyChange = (ctx: Context) => apply(ctx, id, change);
  const node = await (original === undefined
    ? transact(ctx, applyChange)
    : take(ctx, [original.staged], intoOriginal(id, original.policy, applyChange)));
  await announceMove(ctx);
  return node;
}

async function apply(outer: Context, id: number, change: Change): Promise<TreeNode> {
  let ctx = outer;
  const { name, parentId, sortOrder, focalPoint, crops } = change;
  const before = await findNode(ctx, id);
  if (parentId !== undefined && !isIn(before, parentId)) {
    await moveNodes(ctx, { ids: [id], parentId });
    ctx = await withLatest(ctx);
  }
  const after =
    before.type === 'folder'
      ? await updateFolder(ctx, id, { name, sortOrder })
      : await updateMedia(ctx, id, { name, sortOrder, focalPoint, crops });
  if (after.updatedAt > before.updatedAt) return after;
  const updatedAt = new Date(before.updatedAt.getTime() + 1);
  await updateNode(ctx.db, existing(ctx), id, { updated_at: updatedAt.getTime() });
  return { ...after, updatedAt };
}

/**
 * Tells whether a node is directly in a folder. The top level has an id but is never a `parentId`; an unfiled node is
 * in no folder.
 */
function isIn({ level, parentId }: TreeNode, folderId: number | null): boolean {
  const folder = folderId === TOP_LEVEL_ID ? null : folderId;
  return level > 0 && parentId === folder;
}

async function findNode(ctx: Context, id: number): Promise<TreeNode> {
  const [node] = await nodesByIds(ctx, [id]);
  if (node === undefined) throw new NotFoundError('node', id);
  return node;
}
