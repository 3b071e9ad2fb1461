import { lockTree } from '../../store/tree/subtree.ts';
import type { Context } from '../context.ts';
import { deleteNodes } from '../trash/delete-nodes.ts';
import { authorize, scopeOf } from '../viewer/access.ts';
import { type Selection, type StartedWhere, startWhere, type WhereInput } from './selection.ts';
import { type WhereRun, walkSelected } from './walk.ts';

/**
 * Starts a job that moves all media that match a filter into the trash; see `startWhere`. Throws NotAuthenticatedError,
 * ForbiddenError, InvalidInputError.
 */
export async function deleteWhere(ctx: Context, input: WhereInput): Promise<StartedWhere> {
  authorize(ctx, 'media.delete');
  return startWhere(ctx, 'delete-where', input, {});
}

/** Does the work of such a job. Returns the number of deleted media. A start node of the viewer stays. */
export function deleteSelected(ctx: Context, selection: Selection, run: WhereRun): Promise<number> {
  return walkSelected(ctx, selection, run, {
    operation: 'media.delete',
    lock: ({ db }) => lockTree(db),
    change: async (ctx, ids) => {
      const limits = new Set(scopeOf(ctx).within?.subtrees.map(({ id }) => id));
      const own = ids.filter((id) => !limits.has(id));
      if (own.length > 0) await deleteNodes(ctx, { ids: own });
    },
  });
}
