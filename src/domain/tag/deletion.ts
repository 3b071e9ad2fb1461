import * as store from '../../store/tag/tag.ts';
import { type Context, transact } from '../context.ts';
import { BITE_ROWS, type BiteOptions, inBites } from '../job/bite.ts';
import { enqueueRest } from '../job/enqueue.ts';
import { authorize } from '../viewer/access.ts';
import { recordAudit } from '../viewer/audit.ts';
import { findTag } from './tag.ts';

/**
 * Deletes a tag and removes it from all media. When this returns, no media item shows the tag and no filter finds it.
 * If it was on many media, a job then deletes the rows and the search words. Throws NotFoundError.
 */
export async function deleteTag(ctx: Context, id: number): Promise<void> {
  authorize(ctx, 'tag.delete');
  const { tag, isDone } = await transact(ctx, async (ctx) => {
    // With the tag locked, no other transaction can add it to media. Locks the tag before its media, so that two
    // callers cannot deadlock.
    await store.lockTags(ctx.db, [id]);
    const tag = await findTag(ctx, id);
    const target = { kind: 'tag', id, name: tag.name } as const;
    await recordAudit(ctx, { action: 'delete', target });
    const medias = await store.lockMediasOfTag(ctx.db, id, { after: 0, limit: BITE_ROWS + 1 });
    ctx.events.publish({ type: 'tag', kind: 'deleted', id });
    if (medias.length <= BITE_ROWS) {
      await store.deleteTag(ctx.db, id);
      return { tag, isDone: true };
    }
    const deletion = { deleted_at: ctx.clock(), deleted_by: ctx.viewer.id };
    await store.updateTag(ctx.db, id, deletion);
    await enqueueRest(ctx, 'delete-tag', { tag_id: id }, id);
    return { tag, isDone: false };
  });
  const fields = { tag: id, name: tag.name, deletedBy: ctx.viewer.id };
  ctx.log.info(fields, isDone ? 'deleted a tag' : 'began to delete a tag');
  if (!isDone) await ctx.pending.announce();
}

/**
 * Removes a tag whose deletion `deleteTag` has begun from the rest of its media, in small transactions, and deletes it.
 * May be called again after a crash. Returns the number of media that this call has removed it from.
 */
export async function deleteTagRest(
  ctx: Context,
  id: number,
  options: BiteOptions = {},
): Promise<number> {
  const tag = await store.findTagRow(ctx.db, id);
  if (tag === undefined || tag.deleted_at === null) return 0;
  const all = await store.countLinksOfTag(ctx.db, id);
  const medias = await inBites(options, all, (rowsMax) =>
    transact(ctx, (ctx) => deleteBite(ctx, id, rowsMax)),
  );
  await ctx.pending.reload();
  ctx.log.info({ tag: id, name: tag.name, deletedBy: tag.deleted_by, medias }, 'deleted a tag');
  return medias;
}

async function deleteBite(ctx: Context, id: number, limit: number): Promise<number> {
  await store.lockTags(ctx.db, [id]);
  const medias = await store.lockMediasOfTag(ctx.db, id, { after: 0, limit });
  if (medias.length === 0) await store.deleteTag(ctx.db, id);
  else await store.deleteMediaTags(ctx.db, medias, [id]);
  return medias.length;
}

/** Enqueues the jobs of tags that have none: an admin may have cancelled or deleted a job. */
export async function resumeTags(ctx: Context): Promise<void> {
  for (const { id, deleted_at } of await store.listUnfinishedTags(ctx.db)) {
    await enqueueRest(ctx, deleted_at === null ? 'index-tag' : 'delete-tag', { tag_id: id }, id);
  }
}
