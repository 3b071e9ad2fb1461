import { deleteTagRest } from '../../../domain/tag/deletion.ts';
import type { Task } from '../../task.ts';

/** Removes a tag that readers no longer see from its many media, and deletes it. */
export const deleteTag: Task<'delete-tag'> = async (ctx, { tag_id }, { signal, progress }) => ({
  medias_untagged: await deleteTagRest(ctx, tag_id, { signal, onProgress: progress }),
});
