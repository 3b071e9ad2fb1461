import type { Context } from '../context.ts';
import { isAllowedForOwner, isStartNode } from '../viewer/access.ts';
import type { NodeFields } from './node.ts';

/** What the viewer may do to a node, as the operations check it. */
export interface NodePermissions {
  /** Change it, its file and its tags. */
  canEdit: boolean;
  /** Move it into the trash; for a node in the trash: delete it for ever. */
  canDelete: boolean;
  /** Move it to another folder. */
  canMove: boolean;
}

/** Returns what the viewer may do to a node that it sees. */
export function permissionsOf(
  ctx: Context,
  { id, type, owner, deletedAt }: Pick<NodeFields, 'id' | 'owner' | 'deletedAt'> & { type: string },
): NodePermissions {
  const kind = type === 'folder' ? 'folder' : 'media';
  const isThere = deletedAt === null;
  const isFixed = isStartNode(ctx, id);
  return {
    canEdit: isThere && isAllowedForOwner(ctx, `${kind}.update`, owner),
    canDelete: !isFixed && isAllowedForOwner(ctx, `${kind}.delete`, owner),
    canMove: isThere && !isFixed && isAllowedForOwner(ctx, 'folder.update', owner),
  };
}
