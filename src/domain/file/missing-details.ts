import { detailsKindOf } from '../../media/file/details.ts';
import { insertNoDetails, listUnreadOriginals } from '../../store/file/details.ts';
import { type Context, transact } from '../context.ts';
import { inBites } from '../job/bite.ts';
import { serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { NO_DETAILS } from './details.ts';

/** Below the priority of every other job: new uploads come first. */
const PRIORITY = -1;

/**
 * Enqueues a job for each original whose details have not been read, and returns their number; an original that has such
 * a job already counts as well. With `isRetry`, also for those of which nothing was found, and for videos of unknown width: a
 * program that reads them may have been installed since. `onProgress` receives the number so far. May be interrupted, and repeated.
 */
export async function enqueueMissingDetails(
  ctx: Context,
  { isRetry = false, onProgress }: { isRetry?: boolean; onProgress?: (jobs: number) => void } = {},
): Promise<number> {
  let afterId = 0;
  let jobs = 0;
  await inBites({}, Number.POSITIVE_INFINITY, async (limit) => {
    const originals = await listUnreadOriginals(ctx.db, {
      ...{ afterId, limit },
      again: isRetry ? NO_DETAILS : null,
    });
    const unread = originals.filter(({ mime_type }) => detailsKindOf(mime_type) !== null);
    const others = originals.filter((original) => !unread.includes(original));
    await transact(ctx, async (ctx) => {
      if (others.length > 0) {
        const ids = others.map(({ media_id }) => media_id);
        await insertNoDetails(ctx.db, ids, NO_DETAILS);
      }
      for (const original of unread) await enqueue(ctx, original, isRetry);
    });
    afterId = originals.at(-1)?.media_id ?? afterId;
    jobs += unread.length;
    onProgress?.(jobs);
    return originals.length;
  });
  return jobs;
}

async function enqueue(
  ctx: Context,
  { media_id, uuid }: { media_id: number; uuid: string },
  isRetry: boolean,
) {
  const unicity = serverUnicity('read-details', uuid);
  const args = { file_uuid: uuid, ...(isRetry && { is_again: true }) };
  await enqueueJob(ctx, 'read-details', args, { mediaId: media_id, unicity, priority: PRIORITY });
}
