import { indexRest } from '../../../domain/tag/index-media.ts';
import type { Task } from '../../task.ts';

/** Writes the search words of the many media of a renamed tag. */
export const indexTag: Task<'index-tag'> = async (ctx, { tag_id }, { signal, progress }) => ({
  medias_indexed: await indexRest(ctx, tag_id, { signal, onProgress: progress }),
});
