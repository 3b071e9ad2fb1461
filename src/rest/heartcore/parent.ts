import type { Context } from '../../domain/context.ts';
import { type InputIssue, InvalidInputError, NotFoundError } from '../../domain/error.ts';
import { findPermittedNode } from '../../domain/tree/node-list.ts';
import { TOP_LEVEL_ID } from '../../domain/tree/place.ts';
import { issueOf } from './error.ts';

/**
 * The folder that a body names as the parent. What is none is added to `issues`: contract §12-A10, a client
 * takes 404 to be about the item itself. §5.3: only folders have children. Throws ForbiddenError for one
 * that the viewer's start nodes keep it from.
 */
export async function findParentId(
  ctx: Context,
  parentId: string | null,
  issues: InputIssue[],
): Promise<number> {
  if (parentId === null) return TOP_LEVEL_ID;
  const parent = await findPermittedNode(ctx, { uuid: parentId });
  if (parent?.type === 'folder') return parent.id;
  const message =
    parent === null
      ? `There is no media with id '${parentId}'.`
      : 'Only a folder can have children.';
  issues.push(issueOf('parentId', message));
  return TOP_LEVEL_ID;
}

/** The folder that was found has been deleted since: that is still about the body. Rethrows any other error. */
export function refuseParent(error: unknown): never {
  if (!(error instanceof NotFoundError) || error.noun !== 'folder') throw error;
  throw new InvalidInputError([issueOf('parentId', 'The parent has been deleted.')]);
}
