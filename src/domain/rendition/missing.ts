import { listOriginals, type OriginalRow } from '../../store/rendition/original.ts';
import { listUndrawnOriginals } from '../../store/rendition/undrawn.ts';
import { type Context, transact } from '../context.ts';
import { inBites } from '../job/bite.ts';
import { serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { isDerived, PREVIEW } from './derived-file.ts';
import { THUMBNAIL } from './kept-image.ts';
import { toSource } from './plan.ts';

/** Below the priority of every other job: new uploads come first. */
const PRIORITY = -1;

/** The progress of `enqueueMissingRenditions`. */
export interface MissingRenditions {
  /** Number of originals that have been checked. */
  files: number;
  /** Number of images among them that lack a thumbnail, a size or a placeholder. */
  missing: number;
}

/**
 * Enqueues a job for each image that lacks its thumbnail, a size of `TRIVIUM_THUMBNAIL_SIZES` or its placeholder; one that
 * has such a job already counts as well. `isDryRun`: only counts them. `onProgress` receives the counts so far. May be
 * interrupted, and repeated. An image that cannot be read is tried again each time.
 */
export async function enqueueMissingRenditions(
  ctx: Context,
  {
    isDryRun = false,
    onProgress,
  }: { isDryRun?: boolean; onProgress?: (counts: MissingRenditions) => void } = {},
): Promise<MissingRenditions> {
  let afterMediaId = 0;
  const counts = { files: 0, missing: 0 };
  await inBites({}, Number.POSITIVE_INFINITY, async (limit) => {
    const originals = await listOriginals(ctx.db, { afterMediaId, limit, key: THUMBNAIL });
    const missing = originals.filter((original) => isMissing(ctx, original));
    if (!isDryRun && missing.length > 0) await enqueue(ctx, 'make-rendition', missing);
    afterMediaId = originals.at(-1)?.media_id ?? afterMediaId;
    counts.files += originals.length;
    counts.missing += missing.length;
    onProgress?.({ ...counts });
    return originals.length;
  });
  return counts;
}

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
    await enqueue(ctx, 'draw-preview', originals);
    afterId = originals.at(-1)?.media_id ?? afterId;
    jobs += originals.length;
    onProgress?.(jobs);
    return originals.length;
  });
  return jobs;
}

function isMissing(ctx: Context, original: OriginalRow): boolean {
  if (toSource({ ...original, mimeType: original.mime_type }) === null) return false;
  return original.thumbnail_id === null || !isDerived(ctx, original);
}

async function enqueue(
  ctx: Context,
  jobClass: 'make-rendition' | 'draw-preview',
  originals: readonly Pick<OriginalRow, 'uuid' | 'media_id'>[],
): Promise<void> {
  if (originals.length === 0) return;
  await transact(ctx, async (ctx) => {
    for (const { uuid, media_id: mediaId } of originals) {
      const unicity = serverUnicity(jobClass, uuid);
      const options = { mediaId, unicity, priority: PRIORITY };
      await enqueueJob(ctx, jobClass, { file_uuid: uuid }, options);
    }
  });
}
