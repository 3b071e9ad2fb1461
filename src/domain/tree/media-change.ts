import { z } from 'zod';
import { listBlobKeysByMediaIds } from '../../store/file/blob-key.ts';
import { EVERYTHING } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import { deleteMedias, findMediaById } from '../../store/tree/media.ts';
import { lockNode, updateNode } from '../../store/tree/node.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { mediaEvent } from '../event/event.ts';
import { displayName, freeText, parseInput, webUrl } from '../input.ts';
import { enqueueBlobDeletion } from '../job/enqueue.ts';
import { authorizeExisting, refuseStartNode, scopeOf } from '../viewer/access.ts';
import { type Media, toMedia } from './media.ts';

const unit = z.number().min(0).max(1);
const crop = z.object({
  alias: displayName(100),
  width: z.int().min(1).max(20_000),
  height: z.int().min(1).max(20_000),
  coordinates: z.object({ x1: unit, y1: unit, x2: unit, y2: unit }).nullish(),
});

/** What matters in a picture: see `Media`. */
export const pictureInput = z.object({
  focalPoint: z.object({ left: unit, top: unit }).nullish(),
  crops: z.array(crop).max(50).nullish(),
});

const updateMediaInput = pictureInput.extend({
  name: displayName(255).optional(),
  sortOrder: z.int32().optional(),
  title: freeText(255).nullish(),
  description: freeText(10_000).nullish(),
  keywords: freeText(1000).nullish(),
  imageUrl: webUrl.nullish(),
  isPublic: z.boolean().optional(),
});

/** Input of `updateMedia`. */
export type UpdateMediaInput = z.input<typeof updateMediaInput>;

/** Media whose picture is a link that can be set. */
const LINKED_TYPES = ['url', 'vimeo'];

/**
 * Changes what is given; null clears it, an absent field stays. A title that was the name follows it. Needs
 * the creator or an admin. Throws NotFoundError, InvalidInputError: also for an `imageUrl` of what is no link.
 */
export async function updateMedia(
  ctx: Context,
  id: number,
  input: UpdateMediaInput,
): Promise<Media> {
  return transact(ctx, async (ctx) => {
    // Else it could be deleted between the lines below.
    await lockNode(ctx.db, id);
    const row = await findOwnMedia(ctx, id, 'media.update');
    const change = parseInput(updateMediaInput, input);
    if (change.imageUrl !== undefined && !LINKED_TYPES.includes(row.type)) {
      const message = 'Only a media of type url or vimeo has a picture that can be set.';
      throw InvalidInputError.of('imageUrl', 'NOT_A_LINK', message);
    }
    const isTitled = change.title !== undefined || row.title !== row.name;
    const title = isTitled ? change.title : change.name;
    const columns = toColumns({ ...change, title });
    const changed = await updateNode(ctx.db, id, { ...columns, updated_at: ctx.clock() });
    const isElsewhere = change.sortOrder !== undefined && change.sortOrder !== row.sort_order;
    ctx.events.publish(mediaEvent(isElsewhere ? 'moved' : 'updated', row));
    return toMedia(changed);
  });
}

/** Removes a media, its files and all that ties to it. Needs the creator or an admin. Throws NotFoundError. */
export async function deleteMedia(ctx: Context, id: number): Promise<void> {
  await transact(ctx, async (ctx) => {
    // Of two at once one is told that there is nothing left to delete.
    await lockNode(ctx.db, id);
    const row = await findOwnMedia(ctx, id, 'media.delete');
    const blobKeys = await listBlobKeysByMediaIds(ctx.db, EVERYTHING, [id]);
    await deleteMedias(ctx.db, [id]);
    await enqueueBlobDeletion(ctx, blobKeys);
    ctx.events.publish(mediaEvent('deleted', row));
  });
}

/**
 * The media's row, if the viewer may do this to it. Throws NotAuthenticatedError, NotFoundError,
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

/** Columns of what matters in a picture; undefined: not given. */
export function pictureColumns({ focalPoint, crops }: z.output<typeof pictureInput>) {
  return { focal_point: toJson(focalPoint), crops: toJson(crops) };
}

function toColumns(change: z.output<typeof updateMediaInput>) {
  const { imageUrl, sortOrder, focalPoint, crops, isPublic, ...text } = change;
  const columns = {
    ...text,
    image_url: imageUrl,
    // The size is of the picture that was there.
    ...(imageUrl !== undefined && { image_width: null, image_height: null }),
    sort_order: sortOrder,
    ...pictureColumns({ focalPoint, crops }),
    is_public: isPublic === undefined ? undefined : Number(isPublic),
  };
  // Absent means unchanged: the store sets what it is given.
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

function toJson(value: object | null | undefined): string | null | undefined {
  return value ? JSON.stringify(value) : value;
}
