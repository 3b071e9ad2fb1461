import type { z } from 'zod';
import { VISIBILITY } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { parseInput } from '../input.ts';
import { authorizeExisting, refuseStartNode, scopeOf } from '../viewer/access.ts';
import { changeAddress } from './address.ts';
import { newDeletion } from './discard.ts';
import { isPageType, type Media, mediaColumns, mediaInput, toMedia } from './media.ts';
import { removeNodes } from './removal.ts';
import { changedVisibility } from './visibility.ts';

/** Input of `updateMedia`. */
export type UpdateMediaInput = z.input<typeof mediaInput>;

/**
 * Changes the given fields; null clears a field. A title that equals the name follows it. The files of a media item that
 * becomes private get new URLs. Needs the creator or an
 * admin. Throws NotFoundError, and InvalidInputError: also for an `imageUrl` of a media item that is not a link to a
 * page.
 */
export async function updateMedia(
  ctx: Context,
  id: number,
  input: UpdateMediaInput,
): Promise<Media> {
  return transact(ctx, async (ctx) => {
    // Without the lock it could be deleted between the lines below.
    await lockNode(ctx.db, id);
    const row = await findOwnMedia(ctx, id, 'media.update');
    const change = parseInput(mediaInput, input);
    if (change.imageUrl !== undefined && !isPageType(row.type)) {
      const message = 'It can be set only for media of type url or vimeo.';
      throw InvalidInputError.of('imageUrl', 'NOT_A_LINK', message);
    }
    const isTitled = change.title !== undefined || row.title !== row.name;
    const is_public = changedVisibility(row, change);
    // The old URLs were public, and others may know them.
    if (is_public === VISIBILITY.private) await changeAddress(ctx, id);
    const title = isTitled ? change.title : change.name;
    const changed = await updateNode(ctx.db, scopeOf(ctx), id, {
      ...mediaColumns({ ...change, title }),
      // The stored size is that of the image before.
      ...(change.imageUrl !== undefined && { image_width: null, image_height: null }),
      ...(is_public !== undefined && { is_public }),
      updated_at: ctx.clock(),
    });
    const isMoved = change.sortOrder !== undefined && change.sortOrder !== row.sort_order;
    ctx.events.publish(mediaEvent(isMoved ? 'moved' : 'updated', row));
    return toMedia(changed);
  });
}

/**
 * Moves a media item into the trash, with its files and tags. Needs the creator or an admin. Throws NotFoundError.
 */
export async function deleteMedia(ctx: Context, id: number): Promise<void> {
  await transact(ctx, async (ctx) => {
    // Of two deletions at once, the second one finds nothing left to delete.
    await lockNode(ctx.db, id);
    const row = await findOwnMedia(ctx, id, 'media.delete');
    await removeNodes(ctx, [row], [newDeletion(ctx, id)]);
  });
}

/**
 * Returns the row of a media item if the viewer may do this to it. Throws NotAuthenticatedError, NotFoundError,
 * ForbiddenError.
 */
export async function findOwnMedia(
  ctx: Context,
  id: number,
  operation: 'media.update' | 'media.delete',
): Promise<NodeRow> {
  const found = await findMediaById(ctx.db, scopeOf(ctx), id);
  const row = authorizeExisting(ctx, operation, found, { noun: 'media', id });
  if (operation === 'media.delete') refuseStartNode(ctx, id);
  return row;
}
