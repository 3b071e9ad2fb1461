import { listHiddenChildren, unfileNodes } from '../../store/tree/hidden.ts';
import { lockNodes } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { mediaEvent } from '../event/event.ts';
import { existing, scopeOf } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { nodeTarget } from './node.ts';

/** Maximum number of hidden media that the deletion of a folder moves out of it. */
const HIDDEN_MAX = 200;

/**
 * Makes the private media of others in a folder unfiled, so that the viewer, who cannot see them, finds the folder empty:
 * a refusal would tell that they exist, and deleting them would lose what their owners keep there. Returns false, and
 * moves nothing, if there are more than 200. Call it with the tree locked.
 */
export async function unfileHidden(ctx: Context, folderId: number): Promise<boolean> {
  const { hiding } = scopeOf(ctx);
  if (hiding === null) return true;
  const hidden = await listHiddenChildren(ctx.db, existing(ctx), {
    folderId,
    hiding,
    limit: HIDDEN_MAX + 1,
  });
  if (hidden.length > HIDDEN_MAX) return false;
  const ids = hidden.map(({ id }) => id);
  if (ids.length === 0) return true;
  await lockNodes(ctx.db, ids);
  const details = { from: folderId, to: null };
  const entries = hidden.map(
    (row) => ({ action: 'move', target: nodeTarget(row), details }) as const,
  );
  await recordAudit(ctx, ...entries);
  await unfileNodes(ctx.db, ids, ctx.clock());
  for (const row of hidden) ctx.events.publish(mediaEvent('moved', row, null));
  return true;
}
