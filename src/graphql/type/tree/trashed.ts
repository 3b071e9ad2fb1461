import type { File } from '../../../domain/file/file.ts';
import type { TrashedNode } from '../../../domain/file/trash.ts';
import type { Tag } from '../../../domain/tag/tag.ts';
import type { Folder } from '../../../domain/tree/folder.ts';
import type { Media } from '../../../domain/tree/media.ts';
import type { Visibility } from '../../../domain/tree/visibility.ts';

/** Returns the files that a media item in the trash has; undefined for any other media item. */
export function filesInTrash(media: Media): File[] | undefined {
  return (media as Media & Partial<TrashedNode>).trashed?.files;
}

/** Returns the tags that a media item in the trash has; undefined for any other media item. */
export function tagsInTrash(media: Media): Tag[] | undefined {
  return (media as Media & Partial<TrashedNode>).trashed?.tags;
}

/** Returns the visibility that is set for a folder in the trash, null for none; undefined for any other folder. */
export function visibilityInTrash(folder: Folder): Visibility | null | undefined {
  return (folder as Folder & Partial<TrashedNode>).trashed?.visibility;
}
