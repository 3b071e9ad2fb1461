import type { z } from 'zod';
import { VISIBILITY } from '../../store/scope.ts';
import type { NodeColumns, NodeRow } from '../../store/table.ts';
import { findMediaById } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { parseInput } from '../input.ts';
import { authorizeExisting, refuseStartNode, scopeOf } from '../viewer/access.ts';
import { changeDetails, type NewAuditEntry, recordAudit } from '../viewer/audit.ts';
import { changeAddress } from './address.ts';
import { newDeletion } from './discard.ts';
import { isPageType, type Media, mediaColumns, mediaInput, toMedia } from './media.ts';
import { nodeTarget } from './node.ts';
import { recordDeletion, removeNodes } from './removal.ts';
import { changedVisibility, visibilityEntry } from './visibility.ts';

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
    const columns = changedColumns(row, change);
    // The old URLs were public, and others may know them.
    if (columns.is_public === VISIBILITY.private) await changeAddress(ctx, id);
    await recordAudit(ctx, ...changeEntries(row, columns));
    const updated = await updateNode(ctx.db, scopeOf(ctx), id, {
      ...columns,
      updated_at: ctx.clock(),
    });
    const isMoved = change.sortOrder !== undefined && change.sortOrder !== row.sort_order;
    const changed = partsOf(row, columns);
    ctx.events.publish(mediaEvent(isMoved ? 'moved' : 'updated', row, row.parent_id, changed));
    return toMedia(updated);
  });
}

function partsOf(row: NodeRow, { sort_order = row.sort_order, ...columns }: NodeColumns) {
  const isSame = Object.entries(columns).every(([name, value]) => row[name as 'id'] === value);
  return [
    ...(sort_order === row.sort_order ? [] : ['place' as const]),
    ...(isSame ? [] : ['fields' as const]),
  ];
}

/** Returns the columns that a change gives to a row; `is_public` only if it changes. Throws InvalidInputError. */
export function changedColumns(row: NodeRow, change: z.output<typeof mediaInput>): NodeColumns {
  const isTitled = change.title !== undefined || row.title !== row.name;
  const is_public = changedVisibility(row, change);
  return {
    ...mediaColumns({ ...change, title: isTitled ? change.title : change.name }, row),
    // The stored size is that of the image before.
    ...(change.imageUrl !== undefined && { image_width: null, image_height: null }),
    ...(is_public !== undefined && { is_public }),
  };
}

/** Returns what the audit log says of such a change. */
export function changeEntries(
  row: NodeRow,
  { is_public, image_width, image_height, ...columns }: NodeColumns,
): NewAuditEntry[] {
  const target = nodeTarget(row);
  const details = changeDetails(row, columns);
  return [
    ...(details === null ? [] : [{ action: 'update', target, details } as const]),
    ...(is_public === undefined ? [] : [visibilityEntry(target, row.is_public, is_public)]),
  ];
}

/**
 * Moves a media item into the trash, with its files and tags. Needs the creator or an admin. Throws NotFoundError.
 */
export async function deleteMedia(ctx: Context, id: number): Promise<void> {
  await transact(ctx, async (ctx) => {
    // Of two deletions at once, the second one finds nothing left to delete.
    await lockNode(ctx.db, id);
    const row = await findOwnMedia(ctx, id, 'media.delete');
    const deletion = newDeletion(ctx, id);
    await recordDeletion(ctx, [row], deletion);
    await removeNodes(ctx, [row], [deletion]);
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
