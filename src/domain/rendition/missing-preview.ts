import { listUndrawnOriginals } from '../../store/rendition/undrawn.ts';
import { type Context, transact } from '../context.ts';
import { inBites } from '../job/bite.ts';
import { serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { PREVIEW } from './derived-file.ts';

/** Below the priority of every other job: new uploads come first. */
const PRIORITY = -1;

/** Which previews are missing. */
export interface MissingPreviewOptions {
  /** Whether to try again those that could not be drawn. (Default: false) */
  isRetry?: boolean;
  /** Receives the number of jobs so far. */
  onProgress?: (jobs: number) => void;
}

/**
 * Enqueues a job for each original that a decoder can draw here and that has no preview, and returns their number; an original
 * that has such a job already counts as well. May be interrupted, and repeated.
 */
export async function enqueueMissingPreviews(
  ctx: Context,
  { isRetry = false, onProgress }: MissingPreviewOptions = {},
): Promise<number> {
  const mimeTypes = await ctx.decoders.mimeTypes();
  let afterId = 0;
  let jobs = 0;
  await inBites({}, Number.POSITIVE_INFINITY, async (limit) => {
    const undrawn = { mimeTypes, key: PREVIEW, isRetry, afterId, limit };
    const originals = await listUndrawnOriginals(ctx.db, undrawn);
    await transact(ctx, async (ctx) => {
      for (const { media_id, uuid } of originals) {
        const unicity = serverUnicity('draw-preview', uuid);
        const options = { mediaId: media_id, unicity, priority: PRIORITY };
        await enqueueJob(ctx, 'draw-preview', { file_uuid: uuid }, options);
      }
    });
    afterId = originals.at(-1)?.media_id ?? afterId;
    jobs += originals.length;
    onProgress?.(jobs);
    return originals.length;
  });
  return jobs;
}
