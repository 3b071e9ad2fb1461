import * as store from '../../store/tag/tag.ts';
import { type Context, transact } from '../context.ts';
import { BITE_ROWS, type BiteOptions, inBites } from '../job/bite.ts';
import { enqueueRest } from '../job/enqueue.ts';

/**
 * Writes the search words of the media of a renamed tag; if the media are many, enqueues a job that does it. Call it in
 * the transaction of the new name, with the tag locked. A second change of the name restarts the job's work.
 */
export async function indexMediasOf(ctx: Context, tagId: number): Promise<void> {
  const ids = await store.lockMediasOfTag(ctx.db, tagId, { after: 0, limit: BITE_ROWS + 1 });
  if (ids.length <= BITE_ROWS) {
    await store.indexMedias(ctx.db, ids);
    return;
  }
  await store.updateTag(ctx.db, tagId, { indexed_up_to: 0 });
  await enqueueRest(ctx, 'index-tag', { tag_id: tagId }, tagId);
}

/**
 * Writes the rest of the search words of a renamed tag's media, in small transactions. May be called again after a
 * crash: the row of the tag records the progress. Returns the number of media that this call has indexed.
 */
export async function indexRest(
  ctx: Context,
  tagId: number,
  options: BiteOptions = {},
): Promise<number> {
  const all = await store.countLinksOfTag(ctx.db, tagId);
  return inBites(options, all, (rowsMax) => transact(ctx, (ctx) => indexBite(ctx, tagId, rowsMax)));
}

async function indexBite(ctx: Context, tagId: number, limit: number): Promise<number> {
  await store.lockTags(ctx.db, [tagId]);
  const tag = await store.findTagRow(ctx.db, tagId);
  const after = tag?.indexed_up_to;
  // A deletion removes the words as well.
  if (after === undefined || after === null || tag?.deleted_at !== null) return 0;
  const ids = await store.lockMediasOfTag(ctx.db, tagId, { after, limit });
  await store.indexMedias(ctx.db, ids);
  await store.updateTag(ctx.db, tagId, { indexed_up_to: ids.at(-1) ?? null });
  return ids.length;
}
