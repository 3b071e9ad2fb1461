import type { File } from '../../../domain/file/file.ts';
import type { TrashedNode } from '../../../domain/file/trash.ts';
import type { Tag } from '../../../domain/tag/tag.ts';
import type { Media } from '../../../domain/tree/media.ts';

/** Returns the files that a media item in the trash has; undefined for any other media item. */
export function filesInTrash(media: Media): File[] | undefined {
  return (media as Media & Partial<TrashedNode>).trashed?.files;
}

/** Returns the tags that a media item in the trash has; undefined for any other media item. */
export function tagsInTrash(media: Media): Tag[] | undefined {
  return (media as Media & Partial<TrashedNode>).trashed?.tags;
}
