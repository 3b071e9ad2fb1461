import { z } from 'zod';
import { updateMedia as updateRow } from '../../store/tree/media.ts';
import { listNodesByIds } from '../../store/tree/tree.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { displayName, parseInput } from '../input.ts';
import { TOP_LEVEL_ID } from '../tree/folder.ts';
import { pictureInput, updateMedia } from '../tree/media-change.ts';
import { nodesByIds, type TreeNodeOf } from '../tree/node-list.ts';
import { moveNodes, updateFolder } from '../tree/tree.ts';
import { authorizeOwner, isVisible } from '../viewer/access.ts';
import { take } from './door.ts';
import { intoOriginal, type NewOriginal } from './original.ts';

const nodeChange = pictureInput.extend({
  name: displayName(255).optional(),
  /** Null: top level. */
  parentId: z.int().nullish(),
  sortOrder: z.int32().optional(),
});

type Change = z.output<typeof nodeChange>;

/** Throws unless the viewer may change this node: NotFoundError, ForbiddenError. */
export async function authorizeChange(ctx: Context, id: number): Promise<void> {
  const [row] = await listNodesByIds(ctx.db, [id]);
  const isThere = row !== undefined && isVisible(ctx, row);
  const operation = row?.type === 'folder' ? 'folder.update' : 'media.update';
  authorizeOwner(ctx, operation, isThere ? row.owner : ctx.viewer.id);
  if (!isThere) throw new NotFoundError('node', id);
}

/** Input of `changeNode`. */
export type NodeChange = z.input<typeof nodeChange>;

/**
 * Changes a folder or a media item in one transaction, including its place in the tree and its original. An absent field
 * stays as it is. A node that moves comes last in its new folder, unless `sortOrder` is given. `updatedAt` always increases,
 * even if the clock does not. Needs the creator or an admin. Throws NotFoundError, InvalidInputError, FolderCycleError, and
 * the errors of `take` if there is a new original.
 */
export async function changeNode(
  ctx: Context,
  id: number,
  input: NodeChange,
  original?: NewOriginal,
): Promise<TreeNodeOf> {
  const change = parseInput(nodeChange, input);
  const applyChange = (ctx: Context) => apply(ctx, id, change);
  if (original === undefined) return transact(ctx, applyChange);
  return take(ctx, [original.staged], intoOriginal(id, original.policy, applyChange));
}

async function apply(ctx: Context, id: number, change: Change): Promise<TreeNodeOf> {
  const { name, parentId, sortOrder, focalPoint, crops } = change;
  const before = await findNode(ctx, id);
  if (parentId !== undefined && !isIn(before, parentId)) {
    await moveNodes(ctx, { ids: [id], parentId });
  }
  const after =
    before.type === 'folder'
      ? await updateFolder(ctx, id, { name, sortOrder })
      : await updateMedia(ctx, id, { name, sortOrder, focalPoint, crops });
  if (after.updatedAt > before.updatedAt) return after;
  const updatedAt = new Date(before.updatedAt.getTime() + 1);
  await updateRow(ctx.db, id, { updated_at: updatedAt.getTime() });
  return { ...after, updatedAt };
}

/** Tells whether a node is directly in a folder. Top level has an id but is never a `parentId`; an unfiled node is nowhere. */
function isIn({ level, parentId }: TreeNodeOf, folderId: number | null): boolean {
  const folder = folderId === TOP_LEVEL_ID ? null : folderId;
  return level > 0 && parentId === folder;
}

async function findNode(ctx: Context, id: number): Promise<TreeNodeOf> {
  const [node] = await nodesByIds(ctx, [id]);
  if (node === undefined) throw new NotFoundError('node', id);
  return node;
}
